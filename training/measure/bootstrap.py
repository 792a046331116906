"""Bootstrap: how sure a figure is. Whole groups (patients, lesions) are drawn, never single images.

A draw is a row of weights: how often each case was drawn. A metric takes all draws at once,
`[B, N]` weights in and `[B]` values out, so that 2,000 draws cost one pass. Numpy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: From `[B, N]` weights to `[B]` values; NaN where a draw does not define the figure.
Metric = Callable[[Array], Array]

DRAWS = 2000
_BLOCK_CELLS = 2_000_000
_MIN_DEFINED = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; None where the cases do not define it."""

    value: float | None
    low: float | None
    high: float | None

    def to_plain(self) -> dict[str, float | None]:
        """Return a JSON object."""
        return {"value": self.value, "low": self.low, "high": self.high}


def cluster_weights(
    groups: Sequence[str],
    strata: Sequence[object] | None = None,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Array:
    """Return `[draws, N]` weights: groups drawn with replacement, as many as there are.

    With `strata` (one value per case, such as its class) the groups of each stratum are drawn
    separately; a group belongs to the stratum of its first case.
    """
    _, first, member = np.unique(
        np.asarray(groups, dtype=str), return_index=True, return_inverse=True
    )
    kinds = (
        np.zeros(len(first))
        if strata is None
        else np.unique(
            np.asarray([str(stratum) for stratum in strata])[first], return_inverse=True
        )[1]
    )
    random = np.random.default_rng(seed)
    counts = np.zeros((draws, len(first)))
    for kind in np.unique(kinds):
        inside = np.flatnonzero(kinds == kind)
        counts[:, inside] = _counts(random, draws, len(inside))
    return counts[:, member]


def estimates(
    metrics: dict[str, Metric], weights: Array, *, biased: Collection[str] = ()
) -> dict[str, Estimate]:
    """Return each metric with its interval; those named in `biased` as `biased_estimate` does."""
    return {
        name: (biased_estimate if name in biased else estimate)(metric, weights)
        for name, metric in metrics.items()
    }


def estimate(metric: Metric, weights: Array) -> Estimate:
    """Return one metric on all cases with the 2.5 and 97.5 percentiles over the draws.

    No interval where over 5 % of draws are undefined.
    """
    value = _on_all(metric, weights)
    if value is None:
        return Estimate(None, None, None)
    low, high = _percentiles(evaluate_draws(metric, weights))
    return Estimate(value, low, high)


def biased_estimate(metric: Metric, weights: Array) -> Estimate:
    """Return a non-negative metric that draws put too high, with a bias-corrected interval.

    A sum of absolute gaps, such as the ECE, grows with noise, and a draw adds noise to that of
    the cases. The bootstrap estimate of bias, mean of the draws minus value (Efron and Tibshirani,
    An Introduction to the Bootstrap, 1993, chapter 10), is taken from every percentile; the
    interval is cut at zero and holds the value. It tells how far the figure varies, not how much
    too high the value itself may be.
    """
    value = _on_all(metric, weights)
    if value is None:
        return Estimate(None, None, None)
    drawn = evaluate_draws(metric, weights)
    low, high = _percentiles(drawn)
    if low is None or high is None:
        return Estimate(value, None, None)
    bias = float(np.nanmean(drawn)) - value
    return Estimate(value, min(value, max(0.0, low - bias)), max(value, high - bias))


def paired_difference(first: Metric, second: Metric, weights: Array) -> Estimate:
    """Return `first - second` on the same draws, so that what both share cancels."""
    return estimate(lambda drawn: first(drawn) - second(drawn), weights)


def evaluate_draws(metric: Metric, weights: Array) -> Array:
    """Return the metric of every draw, computed in blocks that fit the cache and the memory."""
    rows = max(1, _BLOCK_CELLS // max(1, weights.shape[1]))
    blocks = [metric(weights[start : start + rows]) for start in range(0, len(weights), rows)]
    return np.concatenate(blocks)


def wilson(successes: float, total: float) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a proportion; (0, 1) without any case."""
    if total <= 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share = successes / total
    centre = share + z * z / (2 * total)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def _on_all(metric: Metric, weights: Array) -> float | None:
    """The metric with every case once; None where the cases do not define it."""
    value = float(metric(np.ones((1, weights.shape[1])))[0])
    return value if math.isfinite(value) else None


def _counts(random: np.random.Generator, draws: int, size: int) -> Array:
    """How often each of `size` groups is drawn, `[draws, size]`."""
    drawn = random.integers(size, size=(draws, size))
    flat = (drawn + np.arange(draws)[:, None] * size).ravel()
    return np.bincount(flat, minlength=draws * size).reshape(draws, size).astype(np.float64)


def _percentiles(values: Array) -> tuple[float | None, float | None]:
    """The central 95 % of the defined draws, if enough are defined."""
    defined = values[np.isfinite(values)]
    if len(defined) < _MIN_DEFINED * len(values):
        return None, None
    low, high = np.percentile(defined, [2.5, 97.5])
    return float(low), float(high)
