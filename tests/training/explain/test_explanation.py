"""A model whose map says nothing may show none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.modality import ImageSpec
from contracts.network import build_network
from contracts.registry import get_modality
from training.explain.explanation import LAYERS, fit_explanation
from training.fit.trained import Trained
from training.manifest import Manifest, Row


@pytest.fixture
def trained(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for index in range(6):
        path = tmp_path / f"{index}.png"
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
        Image.fromarray((np.indices((64, 64)).sum(0) < 40).astype(np.uint8) * 255).save(
            tmp_path / f"{index}_mask.png"
        )
        mask = {"mask": f"{index}_mask.png"}
        rows.append(Row(str(index), path, "mel", "val", str(index), "", mask))
    return Trained(
        modality=get_modality("skin-lesion"),
        config={},
        manifest=Manifest("skin-lesion", tuple(rows)),
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


def test_random_weights_fail_the_checks_and_the_reason_names_them(trained):
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", 7).eval()

    found = fit_explanation(network, trained)

    assert found["passed"] is False
    assert found["reason"].startswith("The map failed: ")
    assert found["layer"] in LAYERS
    assert {"pointing", "pointing_centre", "energy", "energy_centre"} <= set(found)
    assert set(found["layers"]) == set(LAYERS)
