"""Settings that a modality makes nothing of are refused before any work begins."""

from __future__ import annotations

import pytest

from contracts.registry import MODALITIES, get_modality
from training.config import BadConfig, TrainConfig, load_config
from training.fit.cross import cross_validate
from training.fit.idle import refuse_idle
from training.fit.runner import train_network
from training.manifest import Manifest

ECG = get_modality("ecg")
IDLE = [
    {"imbalance": "sampler"},
    {"imbalance": "focal"},
    {"imbalance": "logit_adjustment"},
    {"select_by": "balanced_accuracy"},
    {"balanced_decision": True},
    {"minimum_sensitivity": 0.9},
]


@pytest.mark.parametrize("start", [train_network, cross_validate])
@pytest.mark.parametrize("settings", IDLE, ids=lambda settings: next(iter(settings)))
def test_independent_labels_refuse_what_takes_one_label_per_input(settings, start, tmp_path):
    run = tmp_path / "run"

    with pytest.raises(BadConfig, match=next(iter(settings))):
        start(ECG, Manifest("ecg", ()), TrainConfig(**settings), init="random", run_dir=run)

    assert not run.exists()


@pytest.mark.parametrize("settings", [{"imbalance": "class_weights"}, {"select_by": "nll"}])
def test_independent_labels_take_what_has_an_effect(settings):
    refuse_idle(ECG, TrainConfig(**settings))


@pytest.mark.parametrize(
    ("modality_id", "settings"),
    [("chest-xray", {"balanced_decision": True}), ("skin-lesion", {"minimum_sensitivity": 0.9})],
)
def test_exclusive_labels_refuse_what_their_number_makes_idle(modality_id, settings):
    with pytest.raises(BadConfig, match=next(iter(settings))):
        refuse_idle(get_modality(modality_id), TrainConfig(**settings))


@pytest.mark.parametrize(
    "modality", [one for one in MODALITIES if one.is_image], ids=lambda m: m.id
)
def test_no_preset_has_a_setting_that_does_nothing(modality):
    refuse_idle(modality, load_config(modality.id))
