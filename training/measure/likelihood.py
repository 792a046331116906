"""Likelihood ratios of each label at its threshold, for post-test probabilities by Bayes.

`positive` = sensitivity / (1 - specificity), `negative` = (1 - sensitivity) / specificity, with
half a case added to every cell so that they stay finite, and 95 % intervals by the log method
(Simel et al. 1991). They do not depend on the prevalence of the calibration part.
"""

from __future__ import annotations

import math

from contracts.modality import DecisionRule, Modality
from training.measure.figures import answers_of
from training.measure.scored import Scored

_Z = 1.959963984540054


def likelihood_ratios(
    scored: Scored, rule: DecisionRule, modality: Modality
) -> dict[str, dict[str, float]]:
    """Return per label `positive` and `negative` with `_low` and `_high`, and what they rest on."""
    answers = answers_of(scored, rule)
    table = {}
    for index, code in enumerate(modality.codes):
        positive, truth = answers.positive[:, index], answers.truth[:, index]
        hits, false = float((positive & truth).sum()), float((positive & ~truth).sum())
        table[code] = _ratios(hits, float(truth.sum()), false, float((~truth).sum()))
    return table


def _ratios(hits: float, ill: float, false: float, well: float) -> dict[str, float]:
    """Both ratios of one two-by-two table."""
    sensitivity, false_rate = (hits + 0.5) / (ill + 1), (false + 0.5) / (well + 1)
    result = {"sensitivity": sensitivity, "specificity": 1 - false_rate}
    cells = {
        "positive": (sensitivity, false_rate),
        "negative": (1 - sensitivity, 1 - false_rate),
    }
    for name, (above, below) in cells.items():
        spread = (1 - above) / (above * (ill + 1)) + (1 - below) / (below * (well + 1))
        half = _Z * math.sqrt(spread)
        result[name] = above / below
        result[f"{name}_low"] = above / below * math.exp(-half)
        result[f"{name}_high"] = above / below * math.exp(half)
    return result
