"""Operating point: the threshold of one label, by a rule that is stated before the cases are seen.

Thresholds lie midway between two observed probabilities, so that rounding decides no case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.measure.bootstrap import Array
from training.metrics import Bools


@dataclass(frozen=True, slots=True)
class OperatingRule:
    """How a threshold is chosen on the calibration part.

    `sensitivity`: the highest threshold with sensitivity of at least `at`, which is the one of
    best specificity. `specificity`: the lowest with specificity of at least `at`. `balanced`: the
    best mean of both among those with sensitivity of at least `at`.
    """

    kind: Literal["sensitivity", "specificity", "balanced"]
    at: float = 0.0

    def describe(self) -> str:
        """Return the rule in words, for configuration and card."""
        return {
            "sensitivity": f"highest threshold with sensitivity of at least {self.at:g}",
            "specificity": f"lowest threshold with specificity of at least {self.at:g}",
            "balanced": "best mean of sensitivity and specificity"
            + (f" among sensitivities of at least {self.at:g}" if self.at else ""),
        }[self.kind]


def choose_threshold(probabilities: Array, truth: Bools, rule: OperatingRule) -> float:
    """Return the threshold in (0, 1) for `p >= threshold`; raise ValueError for one class only."""
    if truth.all() or not truth.any():
        raise ValueError("a threshold needs cases with and without the label")
    cuts = _cuts(probabilities)
    ascending = np.sort(probabilities[truth]), np.sort(probabilities[~truth])
    sensitivity = 1 - np.searchsorted(ascending[0], cuts, side="left") / len(ascending[0])
    specificity = np.searchsorted(ascending[1], cuts, side="left") / len(ascending[1])
    if rule.kind == "specificity":
        return float(cuts[(specificity >= rule.at).argmax()])
    allowed = sensitivity >= rule.at
    if rule.kind == "sensitivity":
        return float(cuts[np.flatnonzero(allowed)[-1]])
    return _centre_of_best(cuts, np.where(allowed, sensitivity + specificity, -np.inf))


def _cuts(probabilities: Array) -> Array:
    """Candidate thresholds, ascending: below all, between neighbours, above all."""
    values = np.unique(probabilities)
    middle = (values[1:] + values[:-1]) / 2
    return np.asarray(np.r_[values[0] / 2, middle, (1 + values[-1]) / 2])


def _centre_of_best(cuts: Array, value: Array) -> float:
    """The middle candidate among those that are equally good: the least dependent on one case."""
    best = np.flatnonzero(value >= value.max() - 1e-12)
    return float(cuts[best[len(best) // 2]])
