"""Figures of the heart model: bands of probability, repeats of the folds, hospitals left out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.modality import DecisionRule, TableSpec
from training import metrics
from training.measure.bootstrap import Array, cluster_weights, estimate, wilson
from training.measure.calibration_error import brier
from training.measure.operating_point import OperatingRule, choose_threshold
from training.measure.scored import Scored, probabilities_of
from training.tables.config import ColumnRecipe
from training.tables.heart_model import ColumnCases
from training.tables.heart_validation import (
    OutOfFold,
    calibration_line,
    leave_one_hospital_out,
    pooled_random,
)

#: Where the bands begin: `moderate` at the threshold that finds 95 % of the ill, `high` at the
#: one that clears 90 % of the well.
MODERATE, HIGH = OperatingRule("sensitivity", 0.95), OperatingRule("specificity", 0.9)


@dataclass(frozen=True, slots=True)
class Study:
    """The cases with how they are to be studied."""

    cases: ColumnCases
    spec: TableSpec
    recipe: ColumnRecipe
    seed: int
    draws: int


def bands_of(both: Scored, rule: DecisionRule) -> list[dict[str, Any]]:
    """The bands of probability with how often disease was found in each (Wilson interval)."""
    probability = probabilities_of(both.logits, rule)[:, 1]
    disease = both.truth[:, 1]
    starts = [
        ("low", 0.0),
        ("moderate", choose_threshold(probability, disease, MODERATE)),
        ("high", choose_threshold(probability, disease, HIGH)),
    ]
    ends = [start for _, start in starts[1:]] + [1.01]
    found = []
    for (band, start), end in zip(starts, ends, strict=True):
        inside = (probability >= start) & (probability < end)
        found.append({"band": band, "minimum": start, **_observed(inside, disease)})
    return found


def _observed(inside: NDArray[np.bool_], disease: NDArray[np.bool_]) -> dict[str, float]:
    """Number of cases and observed share of disease."""
    found, total = int((inside & disease).sum()), int(inside.sum())
    low, high = wilson(found, total)
    return {"n": total, "observed": found / max(1, total), "low": low, "high": high}


def repeated_figures(folded: OutOfFold) -> dict[str, Any]:
    """AUROC, Brier score and calibration line over all repeats of the nested cross-validation."""
    disease = folded.cases.disease
    table = {}
    for name, log_odds in (("all", folded.full), ("required", folded.seven)):
        lines = [calibration_line(row, disease) for row in log_odds]
        table[name] = {
            "auroc": [_auroc(row, disease) for row in log_odds],
            "brier": [_brier(row, disease) for row in log_odds],
            "slope": [slope for slope, _ in lines],
            "intercept": [intercept for _, intercept in lines],
        }
    return table


def hospital_figures(study: Study) -> dict[str, Any]:
    """Each hospital scored by a model of the others, their mean, and the pooled figure."""
    cases = study.cases
    full, seven = leave_one_hospital_out(cases, study.spec, study.recipe, study.seed)
    rows = []
    for hospital in sorted(set(cases.hospital.tolist())):
        inside = cases.hospital == hospital
        rows.append(
            {
                "hospital": hospital,
                "n": int(inside.sum()),
                "disease": int(cases.disease[inside].sum()),
                "auroc": _interval(full[inside], cases.disease[inside], study.draws),
                "auroc_required": _interval(seven[inside], cases.disease[inside], study.draws),
                "brier": _brier(full[inside], cases.disease[inside]),
            }
        )
    return {
        "left_out": rows,
        "mean_auroc": float(np.mean([row["auroc"]["value"] for row in rows])),
        "mean_auroc_required": float(np.mean([row["auroc_required"]["value"] for row in rows])),
        "pooled_random_auroc": _interval(
            pooled_random(cases, study.spec, study.recipe, study.seed),
            cases.disease,
            study.draws,
        ),
    }


def _interval(log_odds: Array, disease: NDArray[np.bool_], draws: int) -> dict[str, Any]:
    """AUROC with its bootstrap interval, by case and class."""
    names = [str(index) for index in range(len(disease))]
    weights = cluster_weights(names, disease.tolist(), draws=draws)
    return estimate(partial(metrics.auroc, log_odds, disease), weights).to_plain()


def _auroc(log_odds: Array, disease: NDArray[np.bool_]) -> float:
    """The plain figure."""
    return float(metrics.auroc(log_odds, disease, np.ones((1, len(disease))))[0])


def _brier(log_odds: Array, disease: NDArray[np.bool_]) -> float:
    """The plain figure, before calibration."""
    probability = 1 / (1 + np.exp(-log_odds))
    return float(brier(probability[:, None], disease[:, None], np.ones((1, len(disease))))[0])
