"""Selective prediction: how the error falls when the least sure cases get no answer."""

from __future__ import annotations

import numpy as np

from training.measure.bootstrap import Array
from training.metrics import Bools, ratio


def aurc(confidence: Array, wrong: Bools, weights: Array) -> Array:
    """Area under the risk-coverage curve: mean error over all coverages (lower is better)."""
    coverage, risk = risk_coverage(confidence, wrong, weights)
    steps = np.diff(coverage, axis=1, prepend=0.0)
    return np.asarray((np.nan_to_num(risk) * steps).sum(axis=1))


def risk_at(coverage: float, confidence: Array, wrong: Bools, weights: Array) -> Array:
    """Error among the most confident cases that make up at least this share."""
    covered, risk = risk_coverage(confidence, wrong, weights)
    first = (covered >= coverage - 1e-12).argmax(axis=1)
    return np.take_along_axis(risk, first[:, None], axis=1)[:, 0]


def risk_coverage(confidence: Array, wrong: Bools, weights: Array) -> tuple[Array, Array]:
    """Return coverage and risk, both `[B, N]`, from the surest case to all cases."""
    order = np.argsort(-confidence, kind="stable")
    drawn = weights[:, order]
    mass = np.cumsum(drawn, axis=1)
    errors = np.cumsum(drawn * wrong[order], axis=1)
    return ratio(mass, mass[:, -1:]), ratio(errors, mass)
