"""Recipes of the two tabular trainings, from `training/presets/<modality>.yaml`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

import yaml

from training.config import PRESETS, BadConfig

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TermRecipe:
    """Naive Bayes over terms. Lists are grids from which inner cross-validation chooses.

    `masks` random masks are drawn per case and number of symptoms. The smallest number of known
    symptoms whose top-1 accuracy reaches `minimum_terms_accuracy` is the model's minimum;
    answers on lists of three are right in `answer_accuracy` of the cases. A disease with a
    probability of at least `always_listed` is part of every differential.
    """

    smoothing: tuple[float, ...] = (0.005, 0.01, 0.02, 0.05, 0.1)
    folds: int = 5
    masks: int = 4
    minimum_terms_accuracy: float = 0.9
    answer_accuracy: float = 0.95
    coverage: float = 0.95
    always_listed: float = 0.1


@dataclass(frozen=True, slots=True)
class ColumnRecipe:
    """Logistic regression over columns. Lists are grids from which inner validation chooses.

    `strength` is scikit-learn's C; `other_weight` that of a row from another hospital than
    `home`; each row is masked at random `masks` times in its optional columns.
    """

    home: str = "cleveland"
    strength: tuple[float, ...] = (0.1, 0.3)
    other_weight: tuple[float, ...] = (0.3, 1.0)
    folds: int = 10
    repeats: int = 3
    masks: int = 4
    minimum_sensitivity: float = 0.9
    coverage: float = 0.9


def load_recipe(kind: type[T], modality_id: str, file: Path | None = None) -> T:
    """Read a preset (or `file`) into its recipe; raise BadConfig for unknown keys."""
    path = file or PRESETS / f"{modality_id.replace('-', '_')}.yaml"
    try:
        plain: dict[str, Any] = yaml.safe_load(path.read_text()) or {}
    except FileNotFoundError as error:
        raise BadConfig(f"there is no preset file {path.name}") from error
    unknown = plain.keys() - {known.name for known in fields(kind)}  # type: ignore[arg-type]
    if unknown:
        raise BadConfig(f"unknown settings in {path.name}: {', '.join(sorted(unknown))}")
    return kind(**{key: _frozen(value) for key, value in plain.items()})


def _frozen(value: object) -> object:
    """Lists become tuples."""
    return tuple(value) if isinstance(value, list) else value
