"""Fit the heart model: two logistic regressions in one file, chosen by which columns are given.

* `required`: the seven required columns. `all`: these and the six optional ones, where a column
  that was not given is a level of its own; trained on rows whose optional columns are masked at
  random beside the whole rows, so that any subset may be given.
* Missing values stay inside the pipeline: a number is replaced by the mean and flagged, a code
  has the level "missing".
* Hospitals differ in how often disease is found. Each other hospital has an intercept of its own
  in training; the released model keeps that of the home hospital.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from contracts.column_scorer import ALL_COLUMNS, REQUIRED_ONLY
from contracts.modality import Column, Modality, TableSpec
from contracts.tables import decode_table
from training.manifest import Row
from training.measure.bootstrap import Array
from training.tables.rows import document_of

HOSPITAL = "hospital"
#: Size of the hospital columns; large, so that the penalty hardly holds the intercepts.
_HOSPITAL_SCALE = 3.0


@dataclass(frozen=True, slots=True)
class ColumnCases:
    """Rows as numbers `[N, 13]` (NaN: missing), disease `[N]` and hospital `[N]`."""

    rows: tuple[Row, ...]
    values: Array
    disease: NDArray[np.bool_]
    hospital: NDArray[np.str_]

    def take(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> ColumnCases:
        """Return the chosen rows."""
        index = np.arange(len(self.rows))[chosen]
        return ColumnCases(
            tuple(self.rows[i] for i in index),
            self.values[index],
            self.disease[index],
            self.hospital[index],
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One point of the grid."""

    strength: float
    other_weight: float


@dataclass(frozen=True, slots=True)
class Block:
    """A fitted pipeline with the input of each design column and the reference person."""

    pipeline: Pipeline
    columns: tuple[str, ...]
    sources: tuple[str, ...]
    reference: Array


@dataclass(frozen=True, slots=True)
class HeartModel:
    """Both blocks, as the scorer uses them."""

    spec: TableSpec
    blocks: dict[str, Block]

    def log_odds(self, values: Array) -> Array:
        """Return the log-odds of disease `[N]`, each row by the block that would answer it."""
        optional = [not column.required for column in self.spec.columns]
        bare = np.isnan(values[:, optional]).all(axis=1)
        found = np.zeros(len(values))
        for name, chosen in ((REQUIRED_ONLY, bare), (ALL_COLUMNS, ~bare)):
            if chosen.any():
                block = self.blocks[name]
                wanted = _places(self.spec, block.columns)
                found[chosen] = block.pipeline.decision_function(values[chosen][:, wanted])
        return found


def read_columns(rows: Sequence[Row], modality: Modality) -> ColumnCases:
    """Return the rows of a manifest as numbers; required columns may be missing."""
    if modality.table is None:
        raise ValueError("the modality has no columns")
    decoded = [decode_table(document_of(row), modality.table, complete=False) for row in rows]
    values = [[np.nan if v is None else v for v in row.values] for row in decoded]
    return ColumnCases(
        tuple(rows),
        np.array(values, dtype=np.float64),
        np.array([row.label == modality.codes[1] for row in rows]),
        np.array([row.attributes.get(HOSPITAL, "") for row in rows]),
    )


def without_optional(cases: ColumnCases, spec: TableSpec) -> ColumnCases:
    """Return the cases as a caller who knows the required columns alone would send them."""
    values = cases.values.copy()
    values[:, [not column.required for column in spec.columns]] = np.nan
    return ColumnCases(cases.rows, values, cases.disease, cases.hospital)


def fit_heart(
    cases: ColumnCases,
    spec: TableSpec,
    setting: Setting,
    *,
    home: str,
    masks: int,
    seed: int,
) -> HeartModel:
    """Fit both blocks; without a row of `home` the hospital with most rows takes its place."""
    names, counts = np.unique(cases.hospital, return_counts=True)
    level = home if home in names else str(names[counts.argmax()])
    bare = _fit_block(without_optional(cases, spec), spec, setting, level, required=True)
    views = _masked_views(cases, spec, masks, np.random.default_rng(seed))
    full = _fit_block(cases, spec, setting, level, required=False, views=views)
    return HeartModel(spec, {REQUIRED_ONLY: bare, ALL_COLUMNS: full})


def _masked_views(
    cases: ColumnCases, spec: TableSpec, masks: int, random: np.random.Generator
) -> list[Array]:
    """Copies of the values in which a random share of the optional columns is missing."""
    optional = np.flatnonzero([not column.required for column in spec.columns])
    views = []
    for _ in range(masks):
        view = cases.values.copy()
        gone = random.random((len(view), len(optional))) < random.random((len(view), 1))
        view[:, optional] = np.where(gone, np.nan, view[:, optional])
        views.append(view)
    return views


def _fit_block(
    cases: ColumnCases,
    spec: TableSpec,
    setting: Setting,
    level: str,
    *,
    required: bool,
    views: Sequence[Array] = (),
) -> Block:
    """Fit one pipeline; the views together weigh as much as the whole rows."""
    columns = tuple(c for c in spec.columns if c.required or not required)
    names = tuple(column.name for column in columns)
    wanted = _places(spec, names)
    encode = _encoder(columns)
    whole = encode.fit_transform(cases.values[:, wanted])
    design = np.vstack([whole, *(encode.transform(view[:, wanted]) for view in views)])
    weight = np.where(cases.hospital == level, 1.0, setting.other_weight)
    if views:
        weight = np.concatenate([weight / 2, np.tile(weight / 2 / len(views), len(views))])
    copies = 1 + len(views)
    model = _fit_level(
        design,
        np.tile(cases.disease, copies),
        weight,
        _hospital_columns(np.tile(cases.hospital, copies), level),
        setting.strength,
    )
    reference = whole[cases.hospital == level].mean(axis=0)
    pipeline = Pipeline([("encode", encode), ("model", model)])
    return Block(pipeline, names, _sources(columns), reference)


def _fit_level(
    design: Array, disease: NDArray[np.bool_], weight: Array, hospitals: Array, strength: float
) -> LogisticRegression:
    """Fit with one column per other hospital, then keep the part that needs no hospital."""
    fitted = LogisticRegression(C=strength, solver="newton-cholesky", max_iter=200).fit(
        np.hstack([design, hospitals]), disease, sample_weight=weight
    )
    fitted.coef_ = fitted.coef_[:, : design.shape[1]].copy()
    fitted.n_features_in_ = design.shape[1]
    return fitted


def _hospital_columns(hospital: NDArray[np.str_], level: str) -> Array:
    """One column per hospital other than the one that sets the level."""
    others = sorted(set(hospital.tolist()) - {level})
    columns = [(hospital == other) * _HOSPITAL_SCALE for other in others]
    return np.column_stack(columns) if columns else np.zeros((len(hospital), 0))


def _encoder(columns: Sequence[Column]) -> ColumnTransformer:
    """Numbers: mean-imputed, standardised and flagged; codes: one column per level."""
    numbers = [i for i, column in enumerate(columns) if not _levels(column)]
    codes = [i for i, column in enumerate(columns) if _levels(column)]
    scaled = Pipeline(
        [("impute", SimpleImputer(keep_empty_features=True)), ("scale", StandardScaler())]
    )
    levels = [[*_levels(columns[i]), np.nan] for i in codes]
    return ColumnTransformer(
        [
            ("numbers", scaled, numbers),
            ("missing", MissingIndicator(features="all"), numbers),
            ("codes", OneHotEncoder(categories=levels, sparse_output=False), codes),
        ]
    )


def _sources(columns: Sequence[Column]) -> tuple[str, ...]:
    """The input column of each design column, in the encoder's order."""
    numbers = [column.name for column in columns if not _levels(column)]
    codes = [
        name
        for column in columns
        if _levels(column)
        for name in [column.name] * (len(_levels(column)) + 1)
    ]
    return (*numbers, *numbers, *codes)


def _levels(column: Column) -> list[float]:
    """The codes of a choice or flag; none for a number."""
    if column.kind == "flag":
        return [0.0, 1.0]
    return sorted(code for _, code in column.choices)


def _places(spec: TableSpec, names: Sequence[str]) -> list[int]:
    """Where the named columns stand in the row."""
    order = [column.name for column in spec.columns]
    return [order.index(name) for name in names]
