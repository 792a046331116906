"""Time the stages of one request and tell them in `Server-Timing`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager


class Stopwatch:
    """Collects milliseconds by stage name."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` returns seconds."""
        self._clock = clock
        self.timing_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = self._clock()
        try:
            yield
        finally:
            spent_ms = (self._clock() - started) * 1000
            self.timing_ms[name] = round(self.timing_ms.get(name, 0.0) + spent_ms, 3)


def server_timing(timing_ms: Mapping[str, float]) -> str:
    """Return the value of a `Server-Timing` header; names are ours."""
    return ", ".join(f"{name};dur={spent_ms:g}" for name, spent_ms in timing_ms.items())
