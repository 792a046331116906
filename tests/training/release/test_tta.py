"""Test-time augmentation is offered only where validation gains."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from contracts.modality import DecisionRule, ImageSpec
from contracts.registry import get_modality
from training.fit.trained import Trained
from training.manifest import Manifest, Row
from training.release.tta import fit_views

RULE = DecisionRule("softmax", (1.0,), (0.0, 0.0), (0.0, 0.0), (0.5, 0.5), (0.2, 0.2), 1)


class LeftHalf(nn.Module):
    """Looks at the left half alone, so a mirrored view shows it what it misses."""

    def forward(self, batch):
        brightness = 3 * batch[..., : batch.shape[-1] // 2].mean(dim=(1, 2, 3))
        return torch.stack((-brightness, brightness), dim=1)


@pytest.fixture
def trained(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for index in range(120):
        pixels = rng.integers(60, 150, (64, 64), dtype=np.uint8)
        if index % 2:
            side = slice(0, 32) if index % 4 == 1 else slice(32, 64)
            pixels[:, side] += 60
        path = tmp_path / f"{index}.png"
        Image.fromarray(pixels).save(path)
        label, part = ("NORMAL", "PNEUMONIA")[index % 2], ("val", "cal")[index // 4 % 2]
        rows.append(Row(str(index), path, label, part, str(index)))
    return Trained(
        modality=get_modality("chest-xray"),
        config={"tta": ["identity", "flip_horizontal"]},
        manifest=Manifest("chest-xray", tuple(rows)),
        weights={},
        arch="efficientnet_b0",
        image=ImageSpec(64, 64, 64, 64),
        render=None,
        run_dir=tmp_path,
        history=[],
        seconds=0.0,
        device="CPU",
        init="random",
        seeds=(0,),
    )


def test_views_that_help_are_offered_with_their_own_rule(trained):
    found = fit_views(LeftHalf(), trained, RULE)

    assert found["offered"] is True
    assert found["averaged"]["auroc"] > found["single"]["auroc"] + 0.1
    assert found["decision"]["activation"] == "softmax"


def test_views_that_change_nothing_are_measured_and_not_offered(trained):
    trained.config["tta"] = ["identity", "flip_vertical"]

    found = fit_views(LeftHalf(), trained, RULE)

    assert found["offered"] is False
    assert "decision" not in found


def test_a_recipe_without_views_adds_nothing(trained):
    trained.config["tta"] = []

    assert fit_views(LeftHalf(), trained, RULE) == {}
