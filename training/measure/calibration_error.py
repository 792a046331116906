"""Calibration error: Brier score, log loss and ECE; arguments as in `metrics.py`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.measure.bootstrap import Array
from training.metrics import Bools, ratio

BINS = 15
_FLOOR = 1e-12


def brier(probabilities: Array, truth: Bools, weights: Array) -> Array:
    """Mean squared error, summed over the columns of `[N, K]`; give one column for binary."""
    error = ((probabilities - truth) ** 2).sum(axis=1)
    return ratio(weights @ error, weights.sum(axis=1))


def log_loss(probabilities: Array, truth: Bools, weights: Array) -> Array:
    """Mean negative log-likelihood of the true class of one-hot `[N, K]`."""
    loss = -np.log(np.maximum(probabilities[truth], _FLOOR))
    return ratio(weights @ loss, weights.sum(axis=1))


def label_log_loss(probabilities: Array, truth: Bools, weights: Array) -> Array:
    """Mean negative log-likelihood over cases and independent labels."""
    likelihood = np.where(truth, probabilities, 1 - probabilities)
    loss = -np.log(np.maximum(likelihood, _FLOOR)).mean(axis=1)
    return ratio(weights @ loss, weights.sum(axis=1))


def ece(confidence: Array, right: Bools, weights: Array) -> Array:
    """Expected calibration error of `[N]` confidences in 15 bins of equal mass.

    The bins are those of all cases and stay fixed over the draws. Biased upward on small samples.
    """
    member = equal_mass_bins(confidence)
    inside = member[:, None] == np.arange(member.max() + 1)
    gaps = weights @ (inside * (confidence - right)[:, None])
    return ratio(np.abs(gaps).sum(axis=1), weights.sum(axis=1))


def equal_mass_bins(confidence: Array, bins: int = BINS) -> NDArray[np.int64]:
    """Return the bin index of each case; equal confidences always share a bin."""
    edges = np.unique(np.quantile(confidence, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.searchsorted(edges, confidence, side="right").astype(np.int64)
