"""TableParts: what a fitted tabular model hands to the export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.modality import DecisionRule
from training.measure.scored import Scored


@dataclass(frozen=True, slots=True)
class TableParts:
    """Estimators, decision rule and figures; everything but version, golden cases and origin.

    `out_of_fold` are the scored cases behind the figures of that name; without them, and so without
    figures, there is nothing to report.
    """

    arch: str
    columns: tuple[str, ...]
    decision: DecisionRule
    estimators: Mapping[str, Any]
    extra: dict[str, Any]
    likelihood_ratios: dict[str, dict[str, float]]
    metrics: dict[str, Any]
    config: dict[str, Any]
    out_of_fold: Scored | None = None
