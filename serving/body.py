"""Bounded, counted, timed read of a request body. Nothing is spooled, nothing is decoded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from contracts.errors import BadRequest, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from serving.scope import note


@dataclass(frozen=True, slots=True)
class Pace:
    """How slowly a body may arrive.

    After `grace_seconds` the mean rate must be at least `minimum_bytes_per_second`, and the whole
    body must be there after `deadline_seconds`.
    """

    deadline_seconds: float = 15.0
    grace_seconds: float = 3.0
    minimum_bytes_per_second: int = 32 * 1024

    def patience_seconds(self, elapsed_seconds: float, received_bytes: int) -> float:
        """Return how long the next piece may still take; zero or less when it is too late."""
        earned = self.grace_seconds + received_bytes / self.minimum_bytes_per_second
        return min(self.deadline_seconds, earned) - elapsed_seconds


def check_head(request: Request, max_bytes: int) -> None:
    """Refuse by the headers alone: 415 for an encoded body, 413 for a declared length too large."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType(
            "Compressed bodies are not read. Send the file as it is.",
            code="unsupported_content_encoding",
        )
    declared = request.headers.get("content-length")
    if declared is None:
        return
    if not (declared.isascii() and declared.isdigit()):
        raise BadRequest("Content-Length is not a number.")
    if len(declared) > 18 or int(declared) > max_bytes:
        raise too_large(max_bytes)


async def receive_body(
    request: Request, max_bytes: int, pace: Pace | None = None
) -> AsyncIterator[bytes]:
    """Yield the pieces of the body as they arrive.

    Raises PayloadTooLarge (413) at the first byte too many, RequestTimeout (408) when the body
    comes too slowly, and Starlette's ClientDisconnect when the sender is gone.
    """
    check_head(request, max_bytes)
    pace = pace or Pace()
    now = asyncio.get_running_loop().time
    started, received, more = now(), 0, True
    while more:
        patience = pace.patience_seconds(now() - started, received)
        try:
            async with asyncio.timeout(max(patience, 0)):
                message = await request.receive()
        except TimeoutError as error:
            raise RequestTimeout(
                "The body came too slowly. Send it again on a faster connection."
            ) from error
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece, more = message.get("body", b""), message.get("more_body", False)
        received += len(piece)
        note(request.scope, bytes=received)
        if received > max_bytes:
            raise too_large(max_bytes)
        if piece:
            yield piece


async def read_body(request: Request, max_bytes: int, pace: Pace | None = None) -> bytes:
    """Return the whole body; the errors are those of `receive_body`."""
    return b"".join([piece async for piece in receive_body(request, max_bytes, pace)])


def too_large(max_bytes: int) -> PayloadTooLarge:
    """The 413 that names our limit."""
    return PayloadTooLarge(f"The body is larger than {max_bytes} bytes.")
