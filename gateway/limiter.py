"""Concurrency limit of one upstream with a bounded waiting room: shed early, never pile up."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from contracts.errors import Overloaded

#: A call that was let in counts as on its way until it takes its place, but no longer than this: a
#: slow upload keeps no place in the waiting room.
ARRIVAL_SECONDS = 0.05


class ConcurrencyLimiter:
    """At most `limit` calls run and at most `max_waiting` wait, first come, first served."""

    def __init__(
        self,
        *,
        limit: int,
        max_waiting: int,
        max_wait_seconds: float,
        jitter: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`jitter` returns 0–1; it spreads the moments at which refused callers come back."""
        self._semaphore = asyncio.Semaphore(limit)
        self._max_waiting = max_waiting
        self._max_wait_seconds = max_wait_seconds
        self._jitter = jitter
        self._clock = clock
        self._arrivals: deque[float] = deque()
        self.running = 0
        self.waiting = 0

    def check(self) -> None:
        """Raise Overloaded if a call that came now would be refused; for use before the body."""
        if self._semaphore.locked() and self.waiting >= self._max_waiting:
            raise self._overloaded()

    def announce(self) -> None:
        """Let a call in whose body is still to come, or raise Overloaded.

        Who was let in a moment ago counts as waiting, so that one free place does not let a crowd
        in whose bodies are read for nothing.
        """
        now = self._clock()
        while self._arrivals and now - self._arrivals[0] > ARRIVAL_SECONDS:
            self._arrivals.popleft()
        if self._semaphore.locked() and self.waiting + len(self._arrivals) >= self._max_waiting:
            raise self._overloaded()
        self._arrivals.append(now)

    @asynccontextmanager
    async def slot(self, *, seconds_left: float) -> AsyncIterator[None]:
        """Hold one of the `limit` places; wait for it at most `seconds_left`.

        Raises Overloaded (503 with Retry-After) at once when the waiting room is full, and when
        no place became free in time. A caller that is cancelled while waiting leaves the room.
        """
        if self._arrivals:
            self._arrivals.popleft()
        self.check()
        self.waiting += 1
        try:
            async with asyncio.timeout(min(seconds_left, self._max_wait_seconds)):
                await self._semaphore.acquire()
        except TimeoutError as error:
            raise self._overloaded() from error
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            self._semaphore.release()

    def _overloaded(self) -> Overloaded:
        """The refusal, with one to four seconds to stay away."""
        return Overloaded(
            "Too many requests for this modality are waiting. Try again shortly.",
            retry_after_seconds=1 + round(3 * self._jitter()),
        )
