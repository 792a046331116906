"""The input checks: what is foreign is told apart, what is own is let through."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contracts.errors import BadCheckpoint
from contracts.network import Output
from contracts.validity import ValidityCheck
from training.validity.checks import fit_validity, foreignness
from training.validity.foreign import named, separation
from training.validity.pictures import generate, shuffle_patches


def cloud(count, shift, seed):
    """Features of one kind: a low-dimensional cloud around its own centre."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.randn(6, 40, generator=torch.Generator().manual_seed(99))
    inner = torch.randn(count, 6, generator=generator) @ mixing
    features = inner + 0.1 * torch.randn(count, 40, generator=generator)
    features[:, :8] += shift
    return Output(torch.zeros(count, 2), features[:, :20], features)


@pytest.fixture(scope="module")
def fitted():
    return fit_validity("chest-xray", cloud(400, 0, 0), cloud(300, 0, 1), {"ecg": cloud(200, 9, 2)})


def one(output, index):
    rows = slice(index, index + 1)
    return Output(output.logits[rows], output.middle[rows], output.penultimate[rows])


def test_inputs_of_the_own_kind_are_let_through(fitted):
    assert (foreignness(cloud(500, 0, 3), fitted) <= 1).mean() > 0.98


def test_a_known_foreign_kind_is_named(fitted):
    validity = fitted.check.assess(cloud(1, 9, 4))

    assert validity.rejections[0].code == "wrong_modality"
    assert validity.rejections[0].looks_like == "ecg"


def test_a_kind_with_exploding_features_hides_no_other_kind():
    def exploding(seed):
        calm = cloud(200, -6, seed)
        return Output(calm.logits, calm.middle * 1e4, calm.penultimate * 1e4)

    own, ecg = cloud(400, 0, 0), cloud(200, 3, 2)
    fit = fit_validity("chest-xray", own, cloud(300, 0, 1), {"ecg": ecg, "other": exploding(3)})

    assert fit.numbers["own_minimum"] > 0.4, "good inputs are plainly of the own kind"
    assert named(cloud(200, 3, 4), "ecg", fit) > 0.98
    assert named(exploding(5), "other", fit) > 0.98
    assert separation(cloud(300, 0, 6), cloud(200, 3, 7), fit)["auroc"] > 0.99


def test_a_kind_that_was_never_seen_is_caught_by_the_distance(fitted):
    unseen = cloud(50, -12, 5)

    codes = {fitted.check.assess(one(unseen, index)).rejections[0].code for index in range(50)}

    assert codes == {"out_of_distribution"}


def test_a_statistic_that_is_missing_is_a_bad_checkpoint(fitted):
    tensors = {name: value for name, value in fitted.tensors.items() if name != "middle.basis"}

    with pytest.raises(BadCheckpoint):
        ValidityCheck.of(tensors, fitted.numbers, "chest-xray")


@pytest.mark.parametrize(
    "change", [{"own_minimum": None}, {"kinds": ["chest-xray"]}, {"kinds": ["skin-lesion", "ecg"]}]
)
def test_a_limit_that_is_missing_or_a_kind_that_does_not_fit_is_a_bad_checkpoint(fitted, change):
    numbers = {k: v for k, v in (fitted.numbers | change).items() if v is not None}

    with pytest.raises(BadCheckpoint):
        ValidityCheck.of(fitted.tensors, numbers, "chest-xray")


def test_generated_pictures_have_the_asked_size_and_differ():
    rng = np.random.default_rng(0)
    pictures = [generate(rng, 40, 60) for _ in range(20)]

    assert {picture.shape for picture in pictures} == {(40, 60, 3)}
    assert len({picture.tobytes() for picture in pictures}) > 15


def test_shuffled_patches_keep_the_pixels_but_not_their_place():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
    shuffled = shuffle_patches(picture, rng)

    assert sorted(shuffled.flatten()) == sorted(picture.flatten())
    assert not np.array_equal(shuffled, picture)
