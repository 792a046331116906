"""The masking curve: how good the differential is when only k true symptoms are entered.

A case is scored by a model that has not seen it, with k of its symptoms drawn at random, and
with none or one wrong symptom added. On whole cases every classifier of this table is perfect,
so this curve is the only figure that says anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from contracts.modality import DecisionRule
from training import metrics
from training.measure.bootstrap import DRAWS, Array, cluster_weights, estimate
from training.measure.scored import Scored, probabilities_of
from training.tables.symptom_model import Fit, TermCases, mask

COUNTS = (1, 2, 3, 4, 5, 6)
FALSE = (0, 1)


@dataclass(frozen=True, slots=True)
class MaskedScores:
    """Out-of-fold log-probabilities of one cell of the curve, `masks` views of each case."""

    known: int
    false: int
    scored: Scored


def score_masked(
    cases: TermCases, fit: Fit, codes: Sequence[str], *, folds: int, masks: int, seed: int
) -> list[MaskedScores]:
    """Return the out-of-fold scores of every cell of the curve."""
    random = np.random.default_rng(seed)
    cells = [(known, false) for false in FALSE for known in COUNTS]
    logits = {cell: np.zeros((masks, len(cases.rows), len(codes))) for cell in cells}
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for train, held in parts.split(cases.present, cases.labels):
        model = fit(cases.present[train], cases.labels[train], random)
        for cell in cells:
            for view in range(masks):
                masked = mask(cases.present[held], *cell, random)
                logits[cell][view, held] = model.log_proba(masked, codes)
    truth = cases.labels[:, None] == np.asarray(codes)
    rows = tuple(
        replace(row, group=row.group or row.id) for _ in range(masks) for row in cases.rows
    )
    return [
        MaskedScores(
            *cell, Scored(rows, logits[cell].reshape(-1, len(codes)), np.tile(truth, (masks, 1)))
        )
        for cell in cells
    ]


def masking_curve(
    cells: Sequence[MaskedScores], rule: DecisionRule, *, draws: int = DRAWS
) -> list[dict[str, Any]]:
    """Return one row per cell: top-1 and top-3 with intervals (by case) and mean confidence."""
    return [_curve_row(cell, rule, draws) for cell in cells]


def minimum_terms(curve: Sequence[dict[str, Any]], accuracy: float) -> int:
    """Return the smallest k whose top-1 accuracy reaches the bar; ValueError when none does."""
    for row in curve:
        if row["false"] == 0 and row["top1"]["value"] >= accuracy:
            return int(row["known"])
    raise ValueError("no number of symptoms reaches the stated accuracy")


def pooled(cells: Sequence[MaskedScores], wanted: Sequence[tuple[int, int]]) -> Scored:
    """Join some cells into one set, grouped by case."""
    chosen = [cell.scored for cell in cells if (cell.known, cell.false) in set(wanted)]
    return Scored(
        tuple(
            replace(row, id=f"{row.id}/{part}/{index}")
            for part, scored in enumerate(chosen)
            for index, row in enumerate(scored.rows)
        ),
        np.concatenate([scored.logits for scored in chosen]),
        np.concatenate([scored.truth for scored in chosen]),
    )


def top_hit(logits: Array, truth: metrics.Bools, size: int) -> metrics.Bools:
    """Return `[N]`: whether the true label is among the `size` highest."""
    own = logits[truth][:, None]
    return np.asarray((logits > own).sum(axis=1) < size)


def _curve_row(cell: MaskedScores, rule: DecisionRule, draws: int) -> dict[str, Any]:
    """The figures of one cell."""
    scored = cell.scored
    weights = cluster_weights(scored.groups, scored.strata, draws=draws)
    every = np.ones(len(scored), dtype=bool)
    row: dict[str, Any] = {"known": cell.known, "false": cell.false}
    for size in (1, 3):
        hit = top_hit(scored.logits, scored.truth, size)
        row[f"top{size}"] = estimate(partial(metrics.share, hit, every), weights).to_plain()
    confidence = probabilities_of(scored.logits, rule).max(axis=1)
    row["mean_confidence"] = float(confidence.mean())
    return row
