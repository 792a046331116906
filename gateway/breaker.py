"""Circuit breaker of one upstream: stop asking a service that does not answer.

    closed ──(threshold failures in a row)──► open ──(probe_after_seconds)──► half-open
      ▲                                        ▲                                 │
      └──────────── the probe succeeds ────────┼──────── the probe fails ────────┘

A failure is an answer that did not come or was of no use (502, 504). A problem that the service
states itself, such as 422 or `model_unavailable`, shows that it is alive and counts as success.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from contracts.errors import ModalityUnavailable, ServiceError, UpstreamTimeout, UpstreamUnavailable


class State(StrEnum):
    """What the breaker does with the next call."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreaker:
    """Counts consecutive failures of one upstream. Not thread-safe; lives in one event loop."""

    def __init__(
        self,
        *,
        failure_threshold: int,
        probe_after_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        """`clock` is monotonic."""
        self._threshold = failure_threshold
        self._probe_after = probe_after_seconds
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False
        self._generation = 0

    @property
    def state(self) -> State:
        """The state at this moment; half-open as soon as a probe is due or under way."""
        if self._opened_at is None:
            return State.CLOSED
        if self._probing or self._remaining() <= 0:
            return State.HALF_OPEN
        return State.OPEN

    def check(self) -> None:
        """Raise ModalityUnavailable (503 with Retry-After) if a call would be refused now."""
        if self._opened_at is None:
            return
        if self._probing or self._remaining() > 0:
            raise ModalityUnavailable(
                "The service of this modality does not answer at the moment.",
                retry_after_seconds=max(1, math.ceil(self._remaining())),
            )

    @contextmanager
    def attempt(self, *, timeouts_count: bool = True) -> Iterator[None]:
        """Let one call through and learn from how it ends.

        Raises ModalityUnavailable instead of running the body while open. `timeouts_count=False`
        when the caller gave the service too little time to blame it. A cancelled call teaches
        nothing; if it was the probe, the next call probes.
        """
        self.check()
        is_probe = self._opened_at is not None
        self._probing = self._probing or is_probe
        generation = self._generation
        verdict: bool | None = False
        try:
            yield
            verdict = True
        except asyncio.CancelledError:
            verdict = None
            raise
        except ServiceError as error:
            verdict = _verdict(error, timeouts_count=timeouts_count)
            raise
        finally:
            if generation == self._generation:
                self._settle(verdict, is_probe=is_probe)

    def _settle(self, verdict: bool | None, *, is_probe: bool) -> None:
        """Take over the verdict of a call that began in the current generation."""
        if is_probe:
            self._probing = False
        if verdict is True:
            self._failures = 0
            if is_probe:
                self._turn(opened_at=None)
        elif verdict is False:
            self._failures += 1
            if is_probe or self._failures >= self._threshold:
                self._turn(opened_at=self._clock())

    def _turn(self, *, opened_at: float | None) -> None:
        """Open or close; calls begun before this moment no longer count."""
        self._opened_at = opened_at
        self._failures = 0
        self._generation += 1

    def _remaining(self) -> float:
        """Seconds until a probe is due; only meaningful while open."""
        assert self._opened_at is not None
        return self._opened_at + self._probe_after - self._clock()


def _verdict(error: ServiceError, *, timeouts_count: bool) -> bool | None:
    """True when the service is alive, False when it failed, None when nothing was learnt."""
    if isinstance(error, UpstreamTimeout):
        return False if timeouts_count else None
    return not isinstance(error, UpstreamUnavailable)
