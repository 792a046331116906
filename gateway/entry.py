"""AuditEntry: what is kept of one request, and by that what is not."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What is kept of one request. Never the input, a file name, a value or a patient's name.

    `answer` holds what the receipt states of a prediction, made by `receipts.facts_of`.
    """

    request_id: str
    caller: str
    """Id of the API key, `local` on an open loopback, `unknown` when admission failed."""
    route: str
    """Route template, never the path as sent."""
    status: int
    modality: str | None = None
    error_code: str | None = None
    outcome: str | None = None
    prediction_id: str | None = None
    refers_to: str | None = None
    """Prediction that the request was about: its receipt, feedback on it, or its kept answer."""
    model_name: str | None = None
    model_version: str | None = None
    model_sha256: str | None = None
    input_sha256: str | None = None
    input_media_type: str | None = None
    input_bytes: int | None = None
    patient_hmac: str | None = None
    answer: dict[str, object] = field(default_factory=dict)

    def members(self) -> dict[str, object]:
        """Return the members by name, as JSON values; they are not copied."""
        return {name: getattr(self, name) for name in self.__slots__}
