"""What is known about one request while it is answered, and who is told about it at the end.

The exchange is filled on the way in (caller, modality, input) and on the way out (prediction,
status). It never holds the input, a file name or a header value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from contracts.schemas import Prediction
from gateway.idempotency import Claim


@dataclass(slots=True)
class Exchange:
    """One request of a recorded route. Mutable: each stage adds what it has learnt."""

    request_id: str
    method: str = ""
    route: str = ""
    """The route template, never the path as sent."""
    caller: str | None = None
    """Id of the key that asked; None without keys or before authentication."""
    modality: str | None = None
    input_sha256: str | None = None
    input_bytes: int | None = None
    media_type: str | None = None
    patient_reference: str | None = None
    """As sent; whoever stores it stores only a keyed hash."""
    options: dict[str, float | bool] = field(default_factory=dict)
    """What the caller chose of what changes an answer."""
    prediction: Prediction | None = None
    status: int = 0
    code: str | None = None
    """The problem's code; None when an answer was given."""
    duration_ms: float = 0.0
    refers_to: str | None = None
    """The earlier prediction that this request is about, once it is known to exist."""
    replayed: bool = False
    """True when the answer came from an earlier request with the same idempotency key."""
    claim: Claim | None = None
    """The right to keep the answer under an idempotency key."""
    answer: str | None = None
    """The JSON to keep under that key."""


class Recorder(Protocol):
    """Who keeps the record. No record, no result."""

    async def record(self, exchange: Exchange) -> None:
        """Store one exchange before its answer leaves; raise AuditUnavailable when it cannot."""
