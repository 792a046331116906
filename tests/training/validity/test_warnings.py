"""A warning stays only when answers beyond its bound are wrong more often."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.modality import DecisionRule, ImageSpec, QualityLimits
from contracts.registry import get_modality
from training.manifest import Manifest, Row
from training.validity.spoil import spoil
from training.validity.warnings import keep_informative

CHEST = get_modality("chest-xray")
SPEC = ImageSpec(64, 64, 64, 64)
RULE = DecisionRule("softmax", (1.0,), (0.0, 0.0), (0.0, 0.0), (0.5, 0.5), (0.0, 0.0), 2)
#: Darkness confuses the network below, paleness does not; nothing here is ever very saturated.
LIMITS = QualityLimits(
    warn={"brightness": (0.3, 0.6), "saturation": (None, 0.9)},
    reject={"brightness": (0.001, None)},
)


class RightUnlessDark(torch.nn.Module):
    """Answers normal, and pneumonia when the picture is dark; truth is always normal."""

    def __init__(self):
        super().__init__()
        self.place = torch.nn.Parameter(torch.zeros(1))  # tells on which device it is

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        dark = batch.mean(dim=(1, 2, 3)) < (0.3 - 0.45) / 0.225
        return torch.stack((1.0 - 2.0 * dark, 2.0 * dark - 1.0), 1)


@pytest.fixture
def manifest(tmp_path):
    random = np.random.default_rng(0)
    rows = []
    for index in range(20):
        path = tmp_path / f"{index}.png"
        grey = np.repeat(random.integers(60, 180, (64, 64, 1), dtype=np.uint8), 3, axis=2)
        Image.fromarray(grey).save(path)
        rows.append(Row(str(index), path, "NORMAL", "cal", str(index)))
    return Manifest("chest-xray", tuple(rows))


def kept(manifest, limits=LIMITS):
    return keep_informative(RightUnlessDark(), CHEST, SPEC, manifest, RULE, limits, draws=200)


def test_a_warning_that_marks_wrong_answers_stays_and_one_that_does_not_goes(manifest):
    found = kept(manifest)

    assert found.limits.warn == {"brightness": (0.3, None)}
    assert found.table["brightness.low"]["kept"] is True
    assert found.table["brightness.low"]["low"] > 0.5
    assert found.table["brightness.high"]["kept"] is False
    assert found.table["brightness.high"]["high"] <= 0


def test_a_warning_that_was_never_raised_is_not_shown_to_say_anything(manifest):
    assert kept(manifest).table["saturation.high"] == {"kept": False}


def test_bounds_that_reject_stay_as_they_are(manifest):
    assert kept(manifest).limits.reject == LIMITS.reject


def test_without_held_out_inputs_no_warning_is_given(manifest):
    found = kept(Manifest("chest-xray", ()))

    assert (found.limits.warn, found.table) == ({}, {})


def test_spoiled_copies_begin_with_the_picture_itself_and_keep_its_size():
    picture = Image.fromarray(np.full((60, 90, 3), 128, dtype=np.uint8))

    copies = list(spoil(picture))

    assert copies[0].picture is picture
    assert {copy.picture.size for copy in copies} == {(90, 60)}
    assert {copy.picture.mode for copy in copies} == {"RGB"}
    assert sorted({copy.min_side for copy in copies}) == [10, 20, 60]
