"""Figures of subgroups: intervals say how little a few cases tell."""

import numpy as np
import pytest

from contracts.modality import DecisionRule
from contracts.registry import get_modality
from training.manifest import Row
from training.measure.bootstrap import wilson
from training.measure.document import measure
from training.measure.scored import scored_from

CHEST = get_modality("chest-xray")
RULE = DecisionRule("softmax", (1.0,), (0.0,) * 2, (0.0,) * 2, (0.5,) * 2, (0.1,) * 2, 2)


def in_subgroup(truth, p, groups):
    """The figures of the one subgroup that all cases form."""
    rows = [
        Row(
            str(i), __file__, "PNEUMONIA" if ill else "NORMAL", group=group, attributes={"sex": "f"}
        )
        for i, (ill, group) in enumerate(zip(truth, groups, strict=True))
    ]
    p = np.asarray(p)
    cases = scored_from(rows, np.log(np.column_stack([1 - p, p])), CHEST)
    (group,) = measure(cases, RULE, CHEST, draws=20)["subgroups"]
    return group["figures"]


def test_a_share_of_few_cases_in_a_subgroup_has_a_wilson_interval():
    figures = in_subgroup(
        [True] * 4 + [False] * 36, [0.9] + [0.1] * 32 + [0.8] * 7, ["one"] * 4 + list("ab" * 18)
    )

    assert figures["sensitivity.PNEUMONIA"]["value"] == 0.25
    assert [figures["sensitivity.PNEUMONIA"][end] for end in ("low", "high")] == pytest.approx(
        wilson(1, 4)
    )


def test_a_share_on_which_all_draws_agree_still_has_a_width():
    figures = in_subgroup([True] * 20 + [False] * 20, [0.9] * 20 + [0.1] * 20, map(str, range(40)))

    for name, cases in (("accuracy", 40), ("sensitivity.PNEUMONIA", 20)):
        assert figures[name] == pytest.approx(
            {"value": 1.0, "low": wilson(cases, cases)[0], "high": 1}
        )


def test_a_share_of_many_cases_in_a_subgroup_keeps_the_interval_of_its_groups():
    p = ([0.9] * 15 + [0.1] * 5) * 2
    figures = in_subgroup([True] * 20 + [False] * 20, p, [str(i // 5) for i in range(40)])

    low, high = (figures["sensitivity.PNEUMONIA"][end] for end in ("low", "high"))
    assert (low, high) != pytest.approx(wilson(15, 20))
    assert low < 0.75 <= high
