"""Keep the warnings that mark inputs which are answered wrongly more often; drop the others.

Held-out inputs and spoiled copies of them are answered by the network. A bound stays only when the
error is higher beyond it than within, with a 95 % interval (bootstrap over groups) above zero.
Bounds that reject are not touched: an input that is rejected gets no answer that could be wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from contracts.modality import DecisionRule, ImageSpec, Modality, QualityLimits
from contracts.preprocessing import normalise, to_base, to_canonical
from contracts.quality import judge_quality, measure
from training.evaluation.predict import infer
from training.fit.inputs import loader_for
from training.manifest import CAL, VAL, Manifest, Row
from training.measure.bootstrap import DRAWS
from training.measure.figures import answers_of, wrong_of
from training.measure.informative import informative_marks
from training.measure.scored import scored_from
from training.validity.spoil import spoil

#: Name of the table in a model file's `extra`.
MEMBER = "warnings"
#: Held-out inputs that are spoiled, evenly spread.
COUNT = 120
Bounds = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Kept:
    """The limits with the warnings that stay, and what every warning was found to say."""

    limits: QualityLimits
    table: dict[str, dict[str, Any]]


def keep_informative(  # noqa: PLR0913
    network: nn.Module,
    modality: Modality,
    spec: ImageSpec,
    manifest: Manifest,
    rule: DecisionRule,
    limits: QualityLimits,
    *,
    draws: int = DRAWS,
) -> Kept:
    """Return limits without the warning bounds that are not shown to be informative.

    The table has a row per bound that can warn: how often it was raised, the error when raised
    minus the error otherwise, and whether it is `kept`; too few cases are none of evidence.
    """
    rows = [row for part in (CAL, VAL) for row in manifest.part(part)]
    rows = rows[:: max(1, len(rows) // COUNT)][:COUNT]
    sides = [
        f"{name}.{side}"
        for name, bounds in limits.warn.items()
        for side, bound in zip(("low", "high"), bounds, strict=True)
        if bound is not None
    ]
    if not rows or not sides:
        return Kept(replace(limits, warn={}), {})
    answered, marks, logits = _answer(network, rows, modality, spec, limits)
    scored = scored_from(answered, np.asarray(logits), modality)
    wrong = wrong_of(answers_of(scored, rule))
    found = informative_marks(marks, wrong, scored.groups, draws=draws)
    table = {side: _verdict(found.get(side)) for side in sides}
    return Kept(replace(limits, warn=_kept_bounds(limits.warn, table)), table)


def _answer(
    network: nn.Module,
    rows: list[Row],
    modality: Modality,
    spec: ImageSpec,
    limits: QualityLimits,
) -> tuple[list[Row], list[list[str]], list[np.ndarray]]:
    """Rows, warnings and logits of every copy that is not rejected."""
    load = loader_for(rows, modality)
    answered: list[Row] = []
    marks: list[list[str]] = []
    logits: list[np.ndarray] = []
    for index, row in enumerate(rows):
        tensors = []
        for copy in spoil(to_base(load(index, 0), spec)):
            canonical = to_canonical(copy.picture, spec)
            measures = measure(canonical, min_side=copy.min_side)
            if judge_quality(measures, limits)[0]:
                continue
            tensors.append(normalise(canonical, spec))
            marks.append(_raised(measures, limits.warn))
            answered.append(row)
        if tensors:
            logits.extend(infer(network, torch.stack(tensors)).double().numpy())
    return answered, marks, logits


def _raised(measures: Mapping[str, float], warn: Mapping[str, Bounds]) -> list[str]:
    """The bounds that these measures are beyond."""
    raised = []
    for name, (low, high) in warn.items():
        if low is not None and measures[name] < low:
            raised.append(f"{name}.low")
        if high is not None and measures[name] > high:
            raised.append(f"{name}.high")
    return raised


def _verdict(figures: Mapping[str, float | None] | None) -> dict[str, Any]:
    """The row of one bound; without figures it was raised or spared too seldom to tell."""
    if figures is None:
        return {"kept": False}
    low = figures["low"]
    return {**figures, "kept": low is not None and low > 0}


def _kept_bounds(
    warn: Mapping[str, Bounds], table: Mapping[str, Mapping[str, Any]]
) -> dict[str, Bounds]:
    """The bounds that stay, by measure; a measure without any is gone."""

    def stays(name: str, side: str, bound: float | None) -> float | None:
        return bound if bound is not None and table[f"{name}.{side}"]["kept"] else None

    kept = {
        name: (stays(name, "low", low), stays(name, "high", high))
        for name, (low, high) in warn.items()
    }
    return {name: bounds for name, bounds in kept.items() if bounds != (None, None)}
