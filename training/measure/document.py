"""Measure: the metrics JSON of one set of scored cases, every figure on all inputs first.

n, groups, classes      what the set is made of
all, accepted           {figure: {value, low, high}}; 95 % cluster bootstrap
accepted_share          how many cases get a single answer
operating               threshold, counts and Wilson intervals per label
prediction_sets         coverage per label, mean size, share of single labels
confusion               rows true, columns decided (exclusive labels)
subgroups               per attribute and value, from 30 cases on; a share of few cases, or
                        one on which all draws agree, has a Wilson interval by case
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from contracts.modality import DecisionRule, Modality
from training import metrics
from training.measure.bootstrap import (
    DRAWS,
    Array,
    Estimate,
    Metric,
    cluster_weights,
    estimate,
    estimates,
    wilson,
)
from training.measure.conformal import class_coverage
from training.measure.figures import BIASED, Answers, answers_of, figures, named_labels
from training.measure.scored import Scored, accepted_of
from training.measure.subgroups import subgroups
from training.metrics import Bools

_SUBGROUP_DRAWS = 500
#: Below this number of cases a share of them has a Wilson interval: draws of few cases agree.
_FEW = 10


def measure(
    scored: Scored,
    rule: DecisionRule,
    modality: Modality,
    *,
    accepted: Bools | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Any]:
    """Return the metrics JSON of the set; `accepted` defaults to what the rule alone accepts."""
    answers = answers_of(scored, rule)
    if accepted is None:
        accepted = accepted_of(answers.probabilities, rule)
    taken = scored.subset(accepted)
    share = partial(metrics.share, accepted, np.ones(len(scored), dtype=bool))
    result: dict[str, Any] = {
        "n": len(scored),
        "groups": len(set(scored.groups)),
        "classes": _counts(scored, modality),
        "all": _estimated(figures(answers, modality), scored, draws, seed),
        "accepted_share": estimate(share, _weights(scored, draws, seed)).to_plain(),
        "accepted": _estimated(
            figures(answers_of(taken, rule), modality) if len(taken) else {}, taken, draws, seed
        ),
        "operating": _operating(answers, rule, modality),
        "prediction_sets": _prediction_sets(answers, rule, modality),
        "subgroups": _subgroups(scored, rule, modality, seed),
    }
    if rule.activation == "softmax":
        result["confusion"] = metrics.confusion(answers.truth, answers.decided).tolist()
    return result


def _estimated(
    table: dict[str, Metric], scored: Scored, draws: int, seed: int
) -> dict[str, dict[str, float | None]]:
    """Every figure with its interval, as JSON."""
    found: dict[str, Estimate] = {}
    if table:
        found = estimates(table, _weights(scored, draws, seed), biased=BIASED)
    return {name: value.to_plain() for name, value in found.items()}


def _weights(scored: Scored, draws: int, seed: int) -> Array:
    """Bootstrap weights over groups, class by class."""
    return cluster_weights(scored.groups, scored.strata, draws=draws, seed=seed)


def _counts(scored: Scored, modality: Modality) -> dict[str, int]:
    """Number of cases with each label."""
    totals = scored.truth.sum(axis=0)
    return {code: int(total) for code, total in zip(modality.codes, totals, strict=True)}


def _operating(
    answers: Answers, rule: DecisionRule, modality: Modality
) -> dict[str, dict[str, Any]]:
    """Counts and Wilson intervals (by case) of each label at its threshold."""
    table = {}
    for index, code in named_labels(modality):
        positive, truth = answers.positive[:, index], answers.truth[:, index]
        hits, misses = int((positive & truth).sum()), int((~positive & truth).sum())
        false, clear = int((positive & ~truth).sum()), int((~positive & ~truth).sum())
        table[code] = {
            "threshold": rule.thresholds[index],
            "true_positive": hits,
            "false_negative": misses,
            "false_positive": false,
            "true_negative": clear,
            "sensitivity_wilson": list(wilson(hits, hits + misses)),
            "specificity_wilson": list(wilson(clear, clear + false)),
            "ppv_wilson": list(wilson(hits, hits + false)),
            "npv_wilson": list(wilson(clear, clear + misses)),
        }
    return table


def _prediction_sets(answers: Answers, rule: DecisionRule, modality: Modality) -> dict[str, Any]:
    """How often the set holds the truth, and how large it is."""
    inside = answers.probabilities >= np.asarray(rule.set_minimum)
    size = inside.sum(axis=1)
    held = class_coverage(answers.probabilities, answers.truth, rule.set_minimum)
    return {
        "target": rule.coverage,
        "coverage": float((inside & answers.truth).sum() / max(1, answers.truth.sum())),
        "coverage_by_label": {
            code: float(value)
            for code, value in zip(modality.codes, held, strict=True)
            if np.isfinite(value)
        },
        "mean_size": float(size.mean()),
        "single_share": float((size == 1).mean()),
    }


def _subgroups(
    scored: Scored, rule: DecisionRule, modality: Modality, seed: int
) -> list[dict[str, Any]]:
    """The figures of each subgroup that is large enough to be shown."""
    rows = []
    for group in subgroups(scored.rows):
        part = scored.subset(group.members)
        answers = answers_of(part, rule)
        table = figures(answers, modality)
        one_class = part.truth.any(axis=0).sum() < 2
        wanted = {
            name: metric
            for name, metric in table.items()
            if _in_subgroups(name) and not (one_class and name == "balanced_accuracy")
        }
        plain = _estimated(wanted, part, _SUBGROUP_DRAWS, seed)
        plain |= dict(_wilson_of_few(plain, _cases_behind(answers, modality)))
        known = {name: value for name, value in plain.items() if value["value"] is not None}
        rows.append(
            {"attribute": group.attribute, "value": group.value, "n": len(part), "figures": known}
        )
    return rows


def _cases_behind(answers: Answers, modality: Modality) -> dict[str, int]:
    """How many cases each share of a subgroup is one of."""
    total = len(answers.truth)
    behind = {"accuracy": total}
    for index, code in named_labels(modality):
        with_label = int(answers.truth[:, index].sum())
        behind[f"sensitivity.{code}"] = with_label
        behind[f"specificity.{code}"] = total - with_label
    return behind


def _wilson_of_few(
    plain: dict[str, dict[str, float | None]], behind: dict[str, int]
) -> Iterator[tuple[str, dict[str, float | None]]]:
    """The shares of few cases, and those on which all draws agree, with a Wilson interval."""
    for name, cases in behind.items():
        found = plain.get(name, {})
        value = found.get("value")
        if value is not None and (cases < _FEW or found["low"] == found["high"]):
            low, high = wilson(value * cases, cases)
            yield name, {"value": value, "low": min(low, value), "high": max(high, value)}


def _in_subgroups(name: str) -> bool:
    """Which figures a subgroup shows."""
    kind = name.partition(".")[0]
    return kind in ("auroc", "accuracy", "balanced_accuracy", "sensitivity", "specificity")
