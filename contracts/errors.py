"""The tree of errors that cross a border, each with its HTTP status and stable code.

    ServiceError
    ├── BadRequest      400  the request is not well formed
    ├── Unauthorized    401
    ├── Forbidden       403
    ├── NotFound        404  UnknownModality
    ├── RequestTimeout  408
    ├── Conflict        409
    ├── PayloadTooLarge 413
    ├── UnsupportedMediaType 415
    ├── InvalidField    422  a part, member or parameter is missing, unknown or bad
    ├── InvalidInput    422  the input cannot be decoded or contradicts itself
    ├── RateLimited     429
    ├── UpstreamUnavailable 502 / UpstreamTimeout 504
    └── Unavailable     503  ModelUnavailable, ModalityUnavailable, Overloaded, AuditUnavailable
    BadCheckpoint             a model file that must not be served; stops the process

`detail` is a fixed sentence of ours, with our limits; it never holds a value that was sent.
Foreign exceptions are translated where they arise (`raise … from error`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType


class ServiceError(Exception):
    """An error with a public face: status, code, title, detail and, where it helps, Retry-After."""

    status = 500
    code = "internal_error"
    title = "Internal error"
    members: Mapping[str, object] = MappingProxyType({})
    """Further members of the problem body; values of ours, never of the request."""

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        field: str | None = None,
        retry_after_seconds: int | None = None,
    ) -> None:
        """`field` is the name of one of *our* fields, never a key that was sent."""
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.field = field
        self.retry_after_seconds = retry_after_seconds

    @property
    def retryable(self) -> bool:
        """True when the same request may succeed later."""
        return self.status in (429, 502, 503, 504)


class BadRequest(ServiceError):
    """The request is not well formed (multipart, JSON, lengths)."""

    status, code, title = 400, "malformed_request", "Malformed request"


class Unauthorized(ServiceError):
    """No valid API key came with the request."""

    status, code, title = 401, "unauthorized", "Authentication required"


class Forbidden(ServiceError):
    """The key is valid but does not allow this."""

    status, code, title = 403, "forbidden", "Not allowed"


class NotFound(ServiceError):
    """No such resource for this caller."""

    status, code, title = 404, "not_found", "Not found"


class UnknownModality(NotFound):
    """The path names a modality that does not exist."""

    code, title = "unknown_modality", "Unknown modality"


class RequestTimeout(ServiceError):
    """The body did not arrive in time."""

    status, code, title = 408, "upload_timeout", "Upload took too long"


class Conflict(ServiceError):
    """The request contradicts an earlier one (idempotency key, feedback)."""

    status, code, title = 409, "conflict", "Conflict"


class PayloadTooLarge(ServiceError):
    """The body is larger than the modality's limit."""

    status, code, title = 413, "payload_too_large", "Upload too large"


class UnsupportedMediaType(ServiceError):
    """The bytes are of no type that this modality reads."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class InvalidField(ServiceError):
    """A part, member or parameter is missing, doubled, unknown or out of range."""

    status, code, title = 422, "invalid_field", "Invalid field"


class InvalidInput(ServiceError):
    """The input cannot be decoded, or contradicts itself."""

    status, code, title = 422, "invalid_input", "Input cannot be read"


class RateLimited(ServiceError):
    """The caller's quota is used up."""

    status, code, title = 429, "rate_limited", "Too many requests"


class UpstreamUnavailable(ServiceError):
    """The service gave no usable answer."""

    status, code, title = 502, "upstream_unavailable", "Service gave no usable answer"


class Unavailable(ServiceError):
    """Something that is needed is not there at the moment."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"


class ModelUnavailable(Unavailable):
    """The process runs without a model. There is no demo answer."""

    code, title = "model_unavailable", "Model not available"


class ModalityUnavailable(Unavailable):
    """The breaker of this modality is open."""

    code, title = "modality_unavailable", "Modality not available"


class Overloaded(Unavailable):
    """The queue is full."""

    code, title = "overloaded", "Overloaded"


class AuditUnavailable(Unavailable):
    """The audit store cannot write: no record, no result."""

    code, title = "audit_unavailable", "Audit store not available"


class UpstreamTimeout(ServiceError):
    """The service did not answer within the deadline."""

    status, code, title = 504, "upstream_timeout", "Service did not answer in time"


class BadCheckpoint(Exception):
    """A model file that must not be served: digest, format, labels or numbers are wrong."""
