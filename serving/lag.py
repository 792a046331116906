"""How late the event loop is: what blocks it makes every answer late, the probes' too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import CollectorRegistry, Gauge

INTERVAL_SECONDS = 0.5


class LoopLag:
    """Sleeps again and again, and takes note of how much later than asked it wakes up."""

    def __init__(
        self, registry: CollectorRegistry, interval_seconds: float = INTERVAL_SECONDS
    ) -> None:
        """`registry` shows the last lateness and the largest one so far, in seconds."""
        self._interval = interval_seconds
        self._last = Gauge(
            "event_loop_lag_seconds", "Lateness of the event loop.", registry=registry
        )
        self._largest = Gauge(
            "event_loop_lag_max_seconds",
            "Largest lateness of the event loop since the start.",
            registry=registry,
        )
        self._most = 0.0

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Measure for as long as the block lasts."""
        task = asyncio.create_task(self._measure(), name="loop lag")
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _measure(self) -> None:
        """Never ends by itself."""
        now = asyncio.get_running_loop().time
        while True:
            due = now() + self._interval
            await asyncio.sleep(self._interval)
            lag = max(0.0, now() - due)
            self._most = max(self._most, lag)
            self._last.set(lag)
            self._largest.set(self._most)
