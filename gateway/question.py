"""What is asked of a service: one input of one modality, with the options of the request."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from contracts.modality import Modality
from gateway.upload import Upload
from serving.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Options:
    """What a caller may choose. `prevalence` is strictly between 0 and 1."""

    prevalence: float | None = None
    use_tta: bool = False

    @property
    def chosen(self) -> dict[str, float | bool]:
        """The options that differ from their default, as receipts state them."""
        chosen: dict[str, float | bool] = {}
        if self.prevalence is not None:
            chosen["prevalence"] = self.prevalence
        if self.use_tta:
            chosen["use_tta"] = True
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
