"""Recipes of the two tabular trainings, from `training/presets/<modality>.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from training.config import build_checked, read_plain

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


@dataclass(frozen=True, slots=True)
class RecipeSource:
    """Where a recipe comes from: the preset, or `file` instead, then `key=value` overrides."""

    file: Path | None = None
    settings: tuple[str, ...] = ()


def load_recipe(kind: type[T], modality_id: str, source: RecipeSource) -> T:
    """Read a modality's recipe; raise BadConfig for unknown keys, types or forms."""
    return build_checked(kind, read_plain(modality_id, source.file, source.settings))
