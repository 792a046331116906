"""Answers of the gateway that are not part of the agreement with the services.

Only the members that this client uses are named; others are ignored.
"""

from __future__ import annotations

from contracts.schemas import Message, ModelInfo


class ModalityState(Message):
    """State of one modality."""

    ready: bool
    breaker: str


class SystemStatus(Message):
    """Answer of `/health`."""

    status: str
    api_version: str
    modalities: dict[str, ModalityState]

    @property
    def ready(self) -> tuple[str, ...]:
        """The modalities that answer now."""
        return tuple(name for name, state in self.modalities.items() if state.ready)


class Column(Message):
    """One member of a table's row."""

    name: str
    required: bool


class ModalityEntry(Message):
    """One modality: what it takes."""

    id: str
    title: str
    kind: str
    ready: bool
    media_types: list[str]
    columns: list[Column]


class Modalities(Message):
    """Answer of `/v1/modalities`."""

    modalities: list[ModalityEntry]


class ModelEntry(Message):
    """The model of one modality; None when its service does not answer."""

    modality: str
    ready: bool
    model: ModelInfo | None = None


class Models(Message):
    """Answer of `/v1/models`."""

    models: list[ModelEntry]


class Symptom(Message):
    """One symptom of the vocabulary."""

    id: str
    name: str
    synonyms: list[str]


class Symptoms(Message):
    """Answer of `/v1/symptoms`."""

    symptoms: list[Symptom]


class StoredFeedback(Message):
    """Answer to feedback."""

    feedback_id: int
    prediction_id: str
    time: str
