"""Scaling: temperature, bias and Platt fits that make probabilities mean what they say.

Guo et al. 2017 (temperature), Platt 1999 (slope and intercept with smoothed targets).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize

from training.measure.bootstrap import Array
from training.metrics import Bools

#: A separable calibration part would drive a fit to certainty; these keep it finite.
MIN_TEMPERATURE, MAX_TEMPERATURE = 0.05, 20.0
_BIAS_PENALTY = 1.0


def fit_softmax(
    logits: Array, truth: Bools, *, with_bias: bool = True
) -> tuple[float, tuple[float, ...]]:
    """Return temperature and bias of `softmax(logits / T + b)` by least log loss.

    The bias makes good for sampling or weighting in training; its mean is zero and a weak
    penalty (one pseudo-case) holds it where a class is rare.
    """
    size = logits.shape[1]

    def loss(parameters: Array) -> float:
        bias = parameters[1:] if with_bias else np.zeros(size)
        scaled = logits * np.exp(-parameters[0]) + bias
        top = scaled.max(axis=1, keepdims=True)
        normal = np.log(np.exp(scaled - top).sum(axis=1)) + top[:, 0]
        penalty = _BIAS_PENALTY * float(bias @ bias) / 2
        return float((normal - scaled[truth]).sum() + penalty) / len(logits)

    found = _minimise(loss, np.zeros(1 + size * with_bias))
    bias = found[1:] - found[1:].mean() if with_bias else np.zeros(size)
    return float(np.exp(found[0])), tuple(float(value) for value in bias)


def fit_sigmoid(logits: Array, truth: Bools) -> tuple[float, float]:
    """Return temperature and bias of `sigmoid(logit / T + b)` for one label, `[N]` each.

    Targets are smoothed as by Platt, so that a separable part gives finite numbers.
    """
    positive, negative = int(truth.sum()), int((~truth).sum())
    target = np.where(truth, (positive + 1) / (positive + 2), 1 / (negative + 2))

    def loss(parameters: Array) -> float:
        scaled = logits * np.exp(-parameters[0]) + parameters[1]
        return float((np.logaddexp(0, scaled) - target * scaled).mean())

    found = _minimise(loss, np.zeros(2))
    return float(np.exp(found[0])), float(found[1])


def _minimise(loss: Callable[[Array], float], start: Array) -> Array:
    """Minimise over (log temperature, biases) inside the bounds."""
    bounds = [(np.log(MIN_TEMPERATURE), np.log(MAX_TEMPERATURE))]
    bounds += [(-20.0, 20.0)] * (len(start) - 1)
    return np.asarray(minimize(loss, start, method="L-BFGS-B", bounds=bounds).x)
