"""Recipes: presets, overrides and refused contradictions."""

from __future__ import annotations

import pytest

from contracts.registry import MODALITIES
from training.config import (
    BadConfig,
    TrainConfig,
    config_from_plain,
    config_from_record,
    config_to_plain,
    load_config,
)

IMAGE_IDS = [modality.id for modality in MODALITIES if modality.is_image]


@pytest.mark.parametrize("modality_id", IMAGE_IDS)
def test_every_image_modality_has_a_preset_that_reads_back_unchanged(modality_id):
    config = load_config(modality_id)

    assert config_from_plain(config_to_plain(config)) == config


def test_an_override_reaches_into_the_augmentation():
    config = load_config("chest-xray", overrides=["epochs=1", "augment.rotate=3", "amp=off"])

    assert (config.epochs, config.augment.rotate, config.amp) == (1, 3.0, "off")


@pytest.mark.parametrize("override", ["nonsense=1", "augment.nonsense=1", "epochs=many", "epochs"])
def test_an_unknown_or_ill_typed_setting_is_refused(override):
    with pytest.raises(BadConfig):
        load_config("chest-xray", overrides=[override])


@pytest.mark.parametrize(
    ("override", "allowed"),
    [
        ("imbalance=weighted_sampler", "none, sampler, class_weights, focal, logit_adjustment"),
        ("schedule=one_cycle", "cosine, onecycle"),
        ("freeze=head", "none, partial, all"),
        ("select_by=auc", "auroc, nll, balanced_accuracy"),
        ("amp=fp8", "auto, bf16, fp16, off"),
        ("tta=[nonsense]", "identity, flip_horizontal, flip_vertical, rotate_180"),
    ],
)
def test_a_choice_that_nobody_offers_is_refused_with_those_that_are(override, allowed):
    setting, _, value = override.partition("=")

    with pytest.raises(BadConfig, match=allowed) as refused:
        load_config("chest-xray", overrides=[override])

    assert str(refused.value).startswith(setting)
    assert value.strip("[]") in str(refused.value)


@pytest.mark.parametrize("override", ["seeds=[a]", "seeds=[1.5]", "tta=[[identity]]", "seeds=3"])
def test_a_list_with_members_of_another_kind_is_refused(override):
    with pytest.raises(BadConfig, match=override.partition("=")[0]):
        load_config("chest-xray", overrides=[override])


def test_an_override_inside_a_plain_number_is_refused():
    with pytest.raises(BadConfig, match="epochs"):
        load_config("chest-xray", overrides=["epochs.many=3"])


@pytest.mark.parametrize(
    "settings",
    [
        {"mixup": 0.2, "cutmix": 1.0},
        {"imbalance": "focal", "label_smoothing": 0.1},
        {"ema": 1.0},
        {"seeds": ()},
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings):
    with pytest.raises(BadConfig):
        TrainConfig(**settings)


def test_two_recipes_that_differ_have_different_digests():
    assert TrainConfig(epochs=1).digest() != TrainConfig(epochs=2).digest()


def test_films_are_never_mirrored_and_pages_neither():
    for modality_id in ("chest-xray", "ecg"):
        augment = load_config(modality_id).augment

        assert not (augment.flip_horizontal or augment.flip_vertical or augment.quarter_turns)


def test_the_recipe_of_an_older_run_is_read_without_settings_since_dropped():
    recorded = config_to_plain(TrainConfig(epochs=3))
    recorded |= {"dropped": 5, "augment": {**recorded["augment"], "also_dropped": True}}

    assert config_from_record(recorded) == TrainConfig(epochs=3)
