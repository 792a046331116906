"""How good the heart model is: nested cross-validation, and one hospital left out at a time.

Nested: strength and weight are chosen inside the training part of each fold, by log loss on rows
of the home hospital, so that no figure rests on a choice that saw its own cases.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

from contracts.modality import TableSpec
from training.measure.bootstrap import Array
from training.tables.config import ColumnRecipe
from training.tables.heart_model import (
    ColumnCases,
    HeartModel,
    Setting,
    fit_heart,
    without_optional,
)

_INNER_FOLDS = 5


@dataclass(frozen=True, slots=True)
class OutOfFold:
    """Log-odds `[repeats, N]` of the home hospital's rows, scored without their own fold."""

    cases: ColumnCases
    full: Array
    seven: Array


def choose_setting(cases: ColumnCases, spec: TableSpec, recipe: ColumnRecipe, seed: int) -> Setting:
    """Return the grid point of least log loss over both blocks, by cross-validation."""
    grid = [Setting(c, w) for c in recipe.strength for w in recipe.other_weight]
    if len(grid) == 1:
        return grid[0]
    loss = dict.fromkeys(grid, 0.0)
    for train, held in _folds(cases, recipe.home, _INNER_FOLDS, seed):
        for setting in grid:
            model = _fit(cases.take(train), spec, setting, recipe, seed)
            part = cases.take(held)
            for view in (part, without_optional(part, spec)):
                loss[setting] += log_loss(model.log_odds(view.values), view.disease)
    return min(loss, key=loss.__getitem__)


def nested(cases: ColumnCases, spec: TableSpec, recipe: ColumnRecipe, seed: int) -> OutOfFold:
    """Return out-of-fold log-odds of the home rows, with all columns and with the seven."""
    home = np.flatnonzero(_home_rows(cases, recipe.home))
    place = {int(row): index for index, row in enumerate(home)}
    full = np.zeros((recipe.repeats, len(home)))
    seven = full.copy()
    for repeat in range(recipe.repeats):
        for train, held in _folds(cases, recipe.home, recipe.folds, seed + repeat):
            inside, part = cases.take(train), cases.take(held)
            setting = choose_setting(inside, spec, recipe, seed + repeat)
            model = _fit(inside, spec, setting, recipe, seed + repeat)
            at = [place[int(row)] for row in held]
            full[repeat, at] = model.log_odds(part.values)
            seven[repeat, at] = model.log_odds(without_optional(part, spec).values)
    return OutOfFold(cases.take(home), full, seven)


def leave_one_hospital_out(
    cases: ColumnCases, spec: TableSpec, recipe: ColumnRecipe, seed: int
) -> tuple[Array, Array]:
    """Return log-odds `[N]` of each hospital by a model of the others: all columns, the seven."""
    full, seven = np.zeros(len(cases.rows)), np.zeros(len(cases.rows))
    for hospital in sorted(set(cases.hospital.tolist())):
        held = cases.hospital == hospital
        inside, part = cases.take(~held), cases.take(held)
        setting = choose_setting(inside, spec, recipe, seed)
        model = _fit(inside, spec, setting, recipe, seed)
        full[held] = model.log_odds(part.values)
        seven[held] = model.log_odds(without_optional(part, spec).values)
    return full, seven


def pooled_random(cases: ColumnCases, spec: TableSpec, recipe: ColumnRecipe, seed: int) -> Array:
    """Return out-of-fold log-odds of all rows in random folds; flattering, for comparison only."""
    setting = Setting(recipe.strength[len(recipe.strength) // 2], 1.0)
    found = np.zeros(len(cases.rows))
    parts = StratifiedKFold(recipe.folds, shuffle=True, random_state=seed)
    for train, held in parts.split(cases.values, cases.disease):
        model = _fit(cases.take(train), spec, setting, recipe, seed)
        found[held] = model.log_odds(cases.values[held])
    return found


def age_and_sex(cases: ColumnCases, spec: TableSpec, recipe: ColumnRecipe, seed: int) -> Array:
    """Return out-of-fold probabilities `[N, 2]` by age and sex alone: the baseline to beat."""
    names = [column.name for column in spec.columns]
    columns = cases.values[:, [names.index("age"), names.index("sex")]]
    found = np.zeros((len(cases.rows), 2))
    parts = StratifiedKFold(recipe.folds, shuffle=True, random_state=seed)
    for train, held in parts.split(columns, cases.disease):
        model = LogisticRegression(max_iter=1000).fit(columns[train], cases.disease[train])
        found[held] = model.predict_proba(columns[held])
    return found


def calibration_line(log_odds: Array, disease: NDArray[np.bool_]) -> tuple[float, float]:
    """Return slope and intercept of the outcome on the log-odds; 1 and 0 are perfect."""
    model = LogisticRegression(C=np.inf, max_iter=1000).fit(log_odds[:, None], disease)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def log_loss(log_odds: Array, disease: NDArray[np.bool_]) -> float:
    """Return the summed negative log-likelihood."""
    return float(np.logaddexp(0.0, np.where(disease, -log_odds, log_odds)).sum())


def _fit(
    cases: ColumnCases, spec: TableSpec, setting: Setting, recipe: ColumnRecipe, seed: int
) -> HeartModel:
    """Fit with the recipe's home and masks."""
    return fit_heart(cases, spec, setting, home=recipe.home, masks=recipe.masks, seed=seed)


def _home_rows(cases: ColumnCases, home: str) -> NDArray[np.bool_]:
    """Rows of the home hospital; of the largest one when that is left out."""
    names, counts = np.unique(cases.hospital, return_counts=True)
    level = home if home in names else str(names[counts.argmax()])
    return np.asarray(cases.hospital == level)


def _folds(
    cases: ColumnCases, home: str, folds: int, seed: int
) -> list[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Folds of the home rows; rows of other hospitals are always in the training part."""
    inside = _home_rows(cases, home)
    at_home, others = np.flatnonzero(inside), np.flatnonzero(~inside)
    parts = StratifiedKFold(folds, shuffle=True, random_state=seed)
    return [
        (np.concatenate([at_home[train], others]), at_home[held])
        for train, held in parts.split(at_home, cases.disease[at_home])
    ]
