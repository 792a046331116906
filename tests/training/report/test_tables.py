"""The tables of the report: every figure of the metrics JSON is on the page once."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.modality import DecisionRule
from contracts.registry import get_modality
from training.manifest import Row
from training.measure.document import measure
from training.measure.scored import scored_from
from training.report.tables import set_tables, summary_of


def measured(modality, shift=0.0):
    random = np.random.default_rng(0)
    size = len(modality.codes)
    count = 1 if modality.activation == "softmax" else size
    rule = DecisionRule(
        modality.activation, (1.0,) * count, (0.0,) * size, (shift, *(0.0,) * (size - 1)),
        (0.3,) * size, (0.05,) * size, size,
    )  # fmt: skip
    rows = [
        Row(str(i), __file__, modality.codes[i % size], attributes={"sex": "fm"[i % 2]})
        for i in range(70)
    ]
    return measure(
        scored_from(rows, random.normal(size=(70, size)), modality), rule, modality, draws=20
    )


@pytest.mark.parametrize("modality_id", ["chest-xray", "skin-lesion", "ecg"])
def test_every_figure_stands_in_exactly_one_cell_of_all_inputs(modality_id):
    modality = get_modality(modality_id)
    figures = measured(modality, shift=1.0)

    tables = [table for table in set_tables(figures, modality) if not table.folded]

    shown = [
        cell
        for table in tables[:3]
        for row in table.rows
        for cell in (row[1:2] if table is tables[0] else row[1:])
    ]
    defined = [value for value in figures["all"].values() if value["value"] is not None]
    assert len([cell for cell in shown if cell != "–"]) == len(defined)


def test_every_row_is_as_long_as_its_head():
    modality = get_modality("skin-lesion")

    for table in set_tables(measured(modality), modality):
        assert {len(row) for row in table.rows} == {len(table.head)}, table.title


def test_figures_are_named_in_words():
    modality = get_modality("skin-lesion")
    figures = measured(modality, shift=1.0)

    heads = [cell for table in set_tables(figures, modality) for cell in table.head]
    names = [name for name, _ in summary_of(figures)]

    assert {"sensitivity at 90 % specificity", "PPV at 20 % prevalence"} <= set(heads)
    assert {"AUROC, macro", "F1, macro", "F1, macro (most probable label)", "Brier"} <= set(names)
