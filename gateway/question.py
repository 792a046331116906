"""What is asked of a service: one input of one modality, with the options of the request."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from contracts.modality import Modality
from gateway.upload import Upload
from serving.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose; None leaves it to the service. `prevalence` is between 0 and 1."""

    prevalence: float | None = None
    use_tta: bool | None = None

    @property
    def chosen(self) -> dict[str, float | bool]:
        """The options that were chosen, as receipts state them."""
        chosen: dict[str, float | bool] = {}
        if self.prevalence is not None:
            chosen["prevalence"] = self.prevalence
        if self.use_tta is not None:
            chosen["use_tta"] = self.use_tta
        return chosen

    @property
    def params(self) -> dict[str, str]:
        """As the query of the inside hop; empty when nothing was chosen."""
        return {name: json.dumps(value) for name, value in self.chosen.items()}


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Question:
    """One input for one service."""

    modality: Modality
    upload: Upload
    request_id: str
    deadline: Deadline
    options: Options = NO_OPTIONS

    def within(self, share: float) -> Question:
        """The same input, to be answered in this share of the time that is left."""
        clock, left = self.deadline.clock, self.deadline.remaining_seconds
        return replace(self, deadline=Deadline(clock() + share * left, clock))

    def for_modality(self, modality: Modality) -> Question:
        """The same input, asked of another service."""
        return replace(self, modality=modality)
