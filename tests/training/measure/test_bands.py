"""Observed rates in the bands of a published scale."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.modality import DecisionRule
from contracts.registry import get_modality
from training.manifest import Row
from training.measure.bands import observed_bands
from training.measure.scored import scored_from
from training.release.card_tables import band_table

BREAST = get_modality("breast-ultrasound")
RULE = DecisionRule("softmax", (1.0,), (), (0.0,) * 3, (0.5,) * 3, (0.0,) * 3, 3)


def breast_cases(malignancy, truth):
    p = np.asarray(malignancy)
    rows = [
        Row(str(index), __file__, "malignant" if ill else "benign")
        for index, ill in enumerate(truth)
    ]
    return scored_from(rows, np.log(np.column_stack([(1 - p) / 3, (1 - p) * 2 / 3, p])), BREAST)


CASES = breast_cases([0.004, 0.01, 0.05, 0.3, 0.3, 0.7, 0.96], [0, 0, 0, 1, 0, 1, 1])


def test_every_case_lies_in_one_band_with_its_observed_rate():
    found = observed_bands(CASES, RULE, BREAST, 0.007)["rows"]

    assert {name: row["n"] for name, row in found.items()} == {
        "1/2": 1, "3": 1, "4A": 1, "4B": 2, "4C": 1, "5": 1,
    }  # fmt: skip
    assert found["4B"]["rate"] == pytest.approx(0.5)
    assert found["4B"]["rate_wilson"][0] < 0.5 < found["4B"]["rate_wilson"][1]


def test_too_few_calibration_cases_call_nothing_clear():
    found = observed_bands(CASES, RULE, BREAST, 0.03)

    assert found["clear_below"] == 0
    assert found["rows"]["3"]["n"] == 2
    assert "1/2" not in found["rows"]


def test_a_modality_without_a_scale_has_no_bands():
    chest = get_modality("chest-xray")
    rule = DecisionRule("softmax", (1.0,), (), (0.0,) * 2, (0.5,) * 2, (0.0,) * 2, 2)
    cases = scored_from([Row("a", __file__, "NORMAL")], np.zeros((1, 2)), chest)

    assert observed_bands(cases, rule, chest, 0.01) == {}


def test_an_empty_band_states_no_rate():
    table = band_table(observed_bands(CASES.subset(CASES.truth[:, 2]), RULE, BREAST, 0.007))

    assert "| BI-RADS 3 | 0 | 0 | – |" in table
