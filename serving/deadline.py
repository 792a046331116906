"""The time that one request has left: it travels inwards in `X-Deadline-Ms` and only shrinks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import Request

from contracts.errors import BadRequest, UpstreamTimeout

HEADER = "X-Deadline-Ms"
CODE = "deadline_exceeded"
_DETAIL = "The answer was not ready in time. Try again when the load is lower."


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock."""

    at_seconds: float
    clock: Callable[[], float] = time.monotonic

    @property
    def remaining_seconds(self) -> float:
        """Seconds left; negative when it has passed."""
        return self.at_seconds - self.clock()

    @property
    def header_value(self) -> str:
        """The remaining milliseconds, for the next hop."""
        return str(max(0, int(self.remaining_seconds * 1000)))

    def check(self) -> None:
        """Raise UpstreamTimeout (504) when it has passed: work that nobody awaits is not begun."""
        if self.remaining_seconds <= 0:
            raise UpstreamTimeout(_DETAIL, code=CODE)

    @asynccontextmanager
    async def scope(self) -> AsyncIterator[None]:
        """Cancel the block at the deadline and raise UpstreamTimeout (504)."""
        self.check()
        try:
            async with asyncio.timeout(self.remaining_seconds):
                yield
        except TimeoutError as error:
            raise UpstreamTimeout(_DETAIL, code=CODE) from error


def deadline_of(
    request: Request, budget_seconds: float, clock: Callable[[], float] = time.monotonic
) -> Deadline:
    """Return the caller's deadline, never later than our own budget.

    Raises BadRequest (400) for a header that is no whole number of milliseconds.
    """
    sent = request.headers.get(HEADER)
    if sent is None:
        return Deadline(clock() + budget_seconds, clock)
    if not (sent.isascii() and sent.isdigit() and len(sent) <= 9):
        raise BadRequest(f"{HEADER} is not a whole number of milliseconds.", field=HEADER)
    return Deadline(clock() + min(budget_seconds, int(sent) / 1000), clock)
