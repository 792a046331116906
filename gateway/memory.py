"""Bytes of all uploads that are held at the same time, against one cap for the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from contracts.errors import Overloaded


class BodyMemory:
    """Counts what arrives and what waits, over all requests together."""

    def __init__(self, max_bytes: int) -> None:
        """`max_bytes` bounds the bodies in memory, not the copies made of them in passing."""
        self._max_bytes = max_bytes
        self.held_bytes = 0

    @contextmanager
    def share(self) -> Iterator[BodyShare]:
        """Count one request's body until the block ends."""
        share = BodyShare(self)
        try:
            yield share
        finally:
            self.held_bytes -= share.held_bytes

    def take(self, count: int) -> None:
        """Count `count` more bytes; raise Overloaded when the process would hold too many."""
        if self.held_bytes + count > self._max_bytes:
            raise Overloaded(
                "Too many uploads are in progress. Try again shortly.", retry_after_seconds=2
            )
        self.held_bytes += count


class BodyShare:
    """What one request holds of the common memory."""

    def __init__(self, memory: BodyMemory) -> None:
        """Begins with nothing."""
        self._memory = memory
        self.held_bytes = 0

    def take(self, count: int) -> None:
        """Count `count` more bytes of this body; raise Overloaded when the process is full."""
        self._memory.take(count)
        self.held_bytes += count
