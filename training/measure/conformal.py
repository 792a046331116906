"""Conformal: the lowest probability at which a label stays in the prediction set.

Split conformal prediction, class-conditional (Mondrian): among the calibration cases that have
the label, at least `coverage` of new ones keep it, as long as new cases are exchangeable with
these. Score: one minus the calibrated probability (Sadinle et al. 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from training.measure.bootstrap import Array
from training.metrics import Bools


def set_minimum(own: Array, coverage: float) -> float:
    """Return the bound from the probabilities of the label over cases that have it.

    Zero (the label is always in the set) when there are too few cases to promise the coverage.
    """
    rank = math.floor((1 - coverage) * (len(own) + 1) + 1e-9)
    return float(np.sort(own)[rank - 1]) if rank >= 1 else 0.0


def class_minimums(probabilities: Array, truth: Bools, coverage: float) -> tuple[float, ...]:
    """Return one bound per label of `[N, K]`."""
    return tuple(
        set_minimum(probabilities[truth[:, k], k], coverage) for k in range(truth.shape[1])
    )


def reached_minimums(
    probabilities: Array, truth: Bools, coverage: float, critical: Sequence[bool]
) -> tuple[float, ...]:
    """Return `class_minimums`, but for a harmless label with too few cases the lowest of them.

    Its n cases then promise n / (n + 1) instead of the coverage, and it does not stand in every
    set for want of cases. A critical label does, so that it cannot be missed.
    """
    bounds = class_minimums(probabilities, truth, coverage)
    return tuple(
        bound if bound > 0 or needed else float(probabilities[truth[:, k], k].min(initial=1.0))
        for k, (bound, needed) in enumerate(zip(bounds, critical, strict=True))
    )


def class_coverage(probabilities: Array, truth: Bools, minimums: tuple[float, ...]) -> Array:
    """Return the share of cases of each label whose set holds it; NaN for a label without case."""
    inside = probabilities >= np.asarray(minimums)
    counts = truth.sum(axis=0)
    held = (inside & truth).sum(axis=0)
    shares = np.divide(held, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return np.asarray(shares)
