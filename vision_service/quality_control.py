"""Laboratory-style quality control: the golden cases again and again, like control samples.

Two questions per run: do the golden logits still equal those at start, and, for weights that live
in this process, are they still the same bytes?
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vision_service.backends.backend import ways_of
from vision_service.golden import each_logits
from vision_service.model import VisionModel

#: Largest drift of a golden logit between the start and now; computing is repeatable, so that
#: this is far above rounding and far below what would change an answer.
TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One run: the largest drift, and a reason code when the model must not answer any more."""

    deviation: float
    reason: str | None


class QualityControl:
    """Remembers the model as it was at start and compares it with what it is now. Blocking."""

    def __init__(self, model: VisionModel) -> None:
        """Runs the golden cases for the first time."""
        self._model = model
        self._logits = self._golden_logits()

    def run(self) -> QualityReport:
        """Return how the model is now; a non-finite logit is an infinite deviation."""
        difference = (self._golden_logits() - self._logits).abs().max()
        deviation = float(torch.nan_to_num(difference, nan=float("inf")))
        if not deviation <= TOLERANCE:
            return QualityReport(deviation, "golden_cases_deviate")
        if not self._model.lazy_network.is_unchanged:
            return QualityReport(deviation, "weights_changed")
        return QualityReport(deviation, None)

    def _golden_logits(self) -> Tensor:
        """Logits of the golden cases from the backend that answers, in each of its ways."""
        batch = self._model.golden_batch
        return torch.cat([each_logits(infer, batch) for infer in ways_of(self._model.backend)])
