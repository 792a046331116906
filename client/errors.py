"""What can go wrong for a caller, as exceptions whose text says what to do.

MediFlowError
├── UnusableInput   the file at hand cannot be sent
├── Unreachable     no answer came from the address
└── Refused         the gateway answered with a problem document (RFC 9457)
"""

from __future__ import annotations

from contracts.schemas import Problem

#: Statuses that say "not now": the same request may be answered later.
NOT_NOW = (429, 502, 503, 504)

_ADVICE = {
    "unauthorized": "Set MEDIFLOW_API_KEY (made by `python -m gateway keys make`).",
    "forbidden": "Use a key with this scope.",
    "unknown_modality": "`mediflow status` lists the modalities.",
    "unknown_prediction": "Use the key that asked; a prediction is known to nobody else.",
    "unrecognised_image": "Name the kind yourself with --modality.",
    "payload_too_large": "The limit is in /v1/modalities.",
    "unsupported_media_type": "Name another modality with --modality, or convert the file.",
    "model_unavailable": "`mediflow status` shows what is ready, `mediflow doctor` why not.",
    "upstream_unavailable": "Try again; if it stays so, run `mediflow doctor`.",
    "rate_limited": "Wait, or use fewer --jobs.",
    "overloaded": "Wait, or use fewer --jobs.",
}


class MediFlowError(Exception):
    """Base of all errors of this client."""

    code = "failed"
    """Stable name, in the gateway's words where it refused."""


class UnusableInput(MediFlowError):
    """The file at hand cannot be read, or is of no kind that is served."""

    code = "unusable_input"


class Unreachable(MediFlowError):
    """No complete answer came. `sent` is True when the request may have been worked on."""

    code = "unreachable"

    def __init__(self, message: str, *, sent: bool) -> None:
        """`message` is for people."""
        super().__init__(message)
        self.sent = sent


class Refused(MediFlowError):
    """The gateway refused the request, and says why."""

    def __init__(self, problem: Problem, retry_after_seconds: float | None = None) -> None:
        """`retry_after_seconds` is the gateway's own advice, None without one."""
        super().__init__(problem.detail)
        self.code = problem.code
        self.problem = problem
        self.retry_after_seconds = retry_after_seconds

    @property
    def is_temporary(self) -> bool:
        """True when the same request may be answered later."""
        return self.problem.status in NOT_NOW

    @property
    def advice(self) -> str:
        """What to do, empty where `detail` says it all."""
        return _ADVICE.get(self.code, "")
