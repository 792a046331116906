"""How many requests may be inside at once; the next one is refused before its body is read."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import Overloaded

_RETRY_AFTER_SECONDS = (1, 3)


class Admission:
    """Counts the requests inside. Used on one event loop, so it needs no lock."""

    def __init__(self, limit: int) -> None:
        """`limit` requests may be inside."""
        self._limit = limit
        self._inside = 0

    @property
    def inside(self) -> int:
        """Requests inside now."""
        return self._inside

    @property
    def is_full(self) -> bool:
        """True when the next request would be refused."""
        return self._inside >= self._limit

    def readiness(self) -> str | None:
        """A check for `HealthState`: a full house is not ready."""
        return "queue_full" if self.is_full else None

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold one place; when full raise Overloaded (503) at once, with a jittered Retry-After."""
        if self.is_full:
            raise Overloaded(
                "Too many requests are waiting.",
                retry_after_seconds=random.randint(*_RETRY_AFTER_SECONDS),
            )
        self._inside += 1
        try:
            yield
        finally:
            self._inside -= 1
