"""What a tabular model says of one document, before anything is decided."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from contracts.errors import ModelUnavailable
from contracts.modality import RedFlag
from contracts.schemas import Contribution, Reason, Unrecognised


@dataclass(frozen=True, slots=True)
class TableScore:
    """Logits of one document, and what is said beside them.

    `contributions` are in log-odds before the temperature: of the second label against the first
    and against the reference person (two labels), or of the first-ranked label against the
    second-ranked one (several). `baseline` is the log-odds without any of them, so that both
    add up to the log-odds of `target` against `against`.
    """

    logits: tuple[float, ...]
    contributions: tuple[Contribution, ...]
    target: str
    against: str
    baseline: float
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    recognised: tuple[str, ...] = ()
    unrecognised: tuple[Unrecognised, ...] = ()
    flags: tuple[RedFlag, ...] = ()
    measurements: Mapping[str, float | str | bool | list[str] | None] = field(default_factory=dict)


def check_finite(values: Iterable[float]) -> None:
    """Raise ModelUnavailable when what was learned is damaged."""
    if not all(math.isfinite(value) for value in values):
        raise ModelUnavailable("The model gave no finite answer.", retry_after_seconds=30)
