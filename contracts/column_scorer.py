"""Score one row of named columns: how likely, and what each column adds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from contracts.estimator import SavedEstimator
from contracts.modality import Modality
from contracts.schemas import Contribution
from contracts.table_score import TableScore, check_finite
from contracts.tables import Json, TableRow, decode_table, encode_table

Array = NDArray[np.float64]

#: Names of the two blocks of a table model: required columns alone, and all of them.
REQUIRED_ONLY, ALL_COLUMNS = "required", "all"


class ColumnScorer:
    """Two pipelines, `encode` then `model` (logistic regression): chosen by which columns came.

    Without any optional column the block of the required ones answers; otherwise the block of
    all columns, in which a missing one has a level of its own.
    """

    def __init__(self, saved: SavedEstimator, modality: Modality, *, complete: bool) -> None:
        """`complete` makes a missing required column an error."""
        if modality.table is None:
            raise ValueError("the modality has no columns")
        self._spec = modality.table
        self._labels = modality.codes
        self._complete = complete
        self._optional = {column.name for column in self._spec.columns if not column.required}
        self._units = {column.name: column.unit for column in self._spec.columns}
        self._estimators = saved.estimators
        self._blocks: dict[str, Any] = saved.release.extra["blocks"]

    def score(self, document: Mapping[str, Json]) -> TableScore:
        """Score one row; see `contracts.scorer.Scorer`."""
        row = decode_table(document, self._spec, complete=self._complete)
        block = REQUIRED_ONLY if self._optional <= set(row.missing) else ALL_COLUMNS
        known: dict[str, Any] = self._blocks[block]
        pipeline = self._estimators[block]
        values = _row_array(row, known["columns"])
        design = np.asarray(pipeline["encode"].transform(values), dtype=np.float64)[0]
        weights = pipeline["model"].coef_[0]
        reference = np.asarray(known["reference"])
        moved = weights * (design - reference)
        log_odds = float(design @ weights + pipeline["model"].intercept_[0])
        check_finite((log_odds, *moved))
        return TableScore(
            logits=_two_logits(log_odds),
            contributions=self._contributions(row, known["sources"], moved),
            target=self._labels[1],
            against=self._labels[0],
            baseline=log_odds - float(moved.sum()),
            measurements={"block": block, "columns_missing": list(row.missing)},
        )

    def _contributions(
        self, row: TableRow, sources: list[str], moved: Array
    ) -> tuple[Contribution, ...]:
        """Sum the design columns that come from the same input, largest effect first."""
        totals: dict[str, float] = dict.fromkeys(dict.fromkeys(sources), 0.0)
        for source, value in zip(sources, moved, strict=True):
            totals[source] += float(value)
        public = encode_table(row, self._spec)
        found = [
            Contribution(
                name=name,
                value=_shown(public.get(name)),
                contribution=total,
                unit=self._units[name],
            )
            for name, total in totals.items()
        ]
        return tuple(sorted(found, key=lambda entry: -abs(entry.contribution)))


def _row_array(row: TableRow, columns: list[str]) -> Array:
    """The named columns of one row as `[1, N]`, NaN where nothing was given."""
    by_name = dict(zip(row.names, row.values, strict=True))
    values = [by_name[name] for name in columns]
    return np.array([[np.nan if value is None else value for value in values]])


def _two_logits(log_odds: float) -> tuple[float, float]:
    """Log-probabilities of the first and the second of two labels."""
    return -_softplus(log_odds), -_softplus(-log_odds)


def _softplus(value: float) -> float:
    """log(1 + exp(value)) without overflow."""
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _shown(value: float | str | bool | None) -> float | str | None:
    """How an answer shows a value of the caller's; flags in words."""
    return str(value).lower() if isinstance(value, bool) else value
