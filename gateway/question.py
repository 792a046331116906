"""What is asked of a service: one input of one modality, with the options of the request."""

from __future__ import annotations

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
    def params(self) -> dict[str, str]:
        """As the query of the inside hop; empty when nothing was chosen."""
        chosen: dict[str, str] = {}
        if self.prevalence is not None:
            chosen["prevalence"] = repr(self.prevalence)
        if self.use_tta:
            chosen["use_tta"] = "true"
        return chosen


NO_OPTIONS = Options()


@dataclass(frozen=True, slots=True)
class Question:
    """One input for one service."""

    modality: Modality
    upload: Upload
    request_id: str
    deadline: Deadline
    options: Options = NO_OPTIONS

    def for_modality(self, modality: Modality) -> Question:
        """The same input, asked of another service."""
        return replace(self, modality=modality)
