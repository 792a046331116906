"""A model whose map says nothing may show none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.modality import ImageSpec
from contracts.network import build_network
from contracts.registry import get_modality
from training.explain.cases import find_cases
from training.explain.explanation import RECIPES, fit_explanation
from training.fit.trained import Trained
from training.manifest import Manifest, Row

ROOT = Path(__file__).parents[3]
PARTS = ("val", "val", "cal", "cal", "cal", "test")
MEL = get_modality("skin-lesion").codes.index("mel")


def network_that_answers(label, outputs=7):
    """A network with random weights whose answer is always the same."""
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", outputs).eval()
    network.classifier[1].bias.data -= 50.0
    network.classifier[1].bias.data[label] += 100.0
    return network


@pytest.fixture
def trained(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for index in range(6):
        path = tmp_path / f"{index}.png"
        Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
        middle = np.zeros((64, 64), dtype=np.uint8)
        middle[24:40, 24:40] = 255
        Image.fromarray(middle).save(tmp_path / f"{index}_mask.png")
        mask = {"mask": f"{index}_mask.png"}
        rows.append(Row(str(index), path, "mel", PARTS[index], str(index), "", mask))
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
    found = fit_explanation(network_that_answers(MEL), trained)

    assert found["passed"] is False
    assert found["reason"].startswith("The map failed: ")
    assert found["layer"] in {recipe.layer for recipe in RECIPES}
    assert {"pointing", "pointing_centre", "energy", "energy_centre"} <= set(found)
    assert found["energy_lead_low"] <= found["energy_lead_value"] <= found["energy_lead_high"]
    assert set(found["recipes"]) == {recipe.name for recipe in RECIPES}


def test_the_verdict_belongs_to_inputs_that_chose_nothing(trained):
    found = fit_explanation(network_that_answers(MEL), trained)

    assert (found["measured_on"], found["inputs"]) == ("cal", 3)


def test_findings_that_the_network_misses_are_no_cases(trained):
    found = fit_explanation(network_that_answers(MEL - 1), trained)

    assert found == {"passed": False, "reason": "The network recognised no finding to explain."}


def test_a_lesion_from_the_middle_lies_off_centre_in_every_corner(trained):
    cases = find_cases(
        network_that_answers(MEL), trained.manifest.rows, trained.modality, trained.image, 4
    )

    centres = [np.argwhere(case.mask).mean(axis=0) / 64 for case in cases]
    assert len({tuple(np.sign(centre - 0.5)) for centre in centres}) == 4
    assert all(np.abs(centre - 0.5).min() > 0.2 for centre in centres)


def test_a_picture_without_a_drawn_lesion_is_no_case(trained):
    for row in trained.manifest.rows:
        Image.fromarray(np.zeros((64, 64), dtype=np.uint8)).save(
            row.path.parent / row.attributes["mask"]
        )

    assert not find_cases(
        network_that_answers(MEL), trained.manifest.rows, trained.modality, trained.image, 4
    )


def test_where_several_labels_hold_each_one_above_a_half_that_the_row_holds_is_a_case():
    ecg = get_modality("ecg")
    record = ROOT / "examples" / "ecg" / "00492_lr.hea"
    row = Row("1", record, "MI;STTC", "val", "1", "", {})

    def found(code):
        network = network_that_answers(ecg.codes.index(code), len(ecg.codes))
        return [
            case.label for case in find_cases(network, [row], ecg, ImageSpec(64, 64, 64, 64), 4)
        ]

    assert found("STTC") == [ecg.codes.index("STTC")]
    assert found("HYP") == []
