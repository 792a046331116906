"""Compare a backend with the network in float32 on the golden cases, before it answers anybody."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from contracts.findings import judge
from contracts.modality import DecisionRule, Modality

#: Largest difference of a probability that a compiled form may make.
PROBABILITY_TOLERANCE = 1e-3
#: Largest difference of a logit. A saturated case hides a damage in its probabilities, not here.
LOGIT_TOLERANCE = 2e-2
#: The same for bfloat16, which keeps eight bits of each product.
REDUCED_LOGIT_TOLERANCE = 0.25


@dataclass(frozen=True, slots=True)
class Parity:
    """How far two backends are apart: probabilities, logits, and changed answers."""

    max_difference: float
    max_logit_difference: float
    flips: int

    def holds(self, logit_tolerance: float = LOGIT_TOLERANCE) -> bool:
        """True when the faster one may take the place of the other."""
        return (
            self.max_difference <= PROBABILITY_TOLERANCE
            and self.max_logit_difference <= logit_tolerance
            and self.flips == 0
        )


def compare(ours: Tensor, reference: Tensor, rule: DecisionRule, modality: Modality) -> Parity:
    """Compare logits `[N, K]` through the decision rule; a value that is not finite never holds."""
    worst, flips = 0.0, 0
    for one, other in zip(ours.tolist(), reference.tolist(), strict=True):
        try:
            mine, theirs = judge(one, rule, modality), judge(other, rule, modality)
        except ValueError:
            return Parity(float("inf"), float("inf"), len(ours))
        pairs = zip(mine.probabilities.values(), theirs.probabilities.values(), strict=True)
        worst = max(worst, *(abs(a - b) for a, b in pairs))
        flips += (mine.label, mine.outcome) != (theirs.label, theirs.outcome)
    return Parity(worst, float((ours - reference).abs().max()), flips)
