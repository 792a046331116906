"""The way to one service: drain gate, breaker and concurrency limit, always passed together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.breaker import CircuitBreaker
from gateway.draining import DrainGate
from gateway.limiter import ConcurrencyLimiter
from gateway.settings import GatewaySettings
from serving.deadline import Deadline
from serving.timing import Stopwatch

#: A time-out is held against a service that had at least this share of the full deadline.
FAIR_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Lane:
    """Guards one service. `fair_seconds`: with less time than that, a time-out blames nobody."""

    gate: DrainGate
    breaker: CircuitBreaker
    limiter: ConcurrencyLimiter
    fair_seconds: float

    def check(self) -> None:
        """Raise ModalityUnavailable or Overloaded if a call would be refused now.

        For use before the body is read: a refusal should cost nothing.
        """
        self.gate.check()
        self.breaker.check()
        self.limiter.check()

    def announce(self) -> None:
        """As `check`, for a call that comes at once if it is not refused."""
        self.gate.check()
        self.breaker.check()
        self.limiter.announce()

    @asynccontextmanager
    async def call(self, deadline: Deadline, stopwatch: Stopwatch) -> AsyncIterator[None]:
        """Hold a place for one call of the service; waiting and the call itself are timed.

        Raises ModalityUnavailable, Overloaded, or UpstreamTimeout when the time was spent waiting.
        """
        self.gate.check()
        self.breaker.check()
        async with AsyncExitStack() as stack:
            with stopwatch.stage("wait"):
                await stack.enter_async_context(
                    self.limiter.slot(seconds_left=deadline.remaining_seconds)
                )
            deadline.check()
            self.gate.check()  # once more, as it may have closed during the wait
            fair = deadline.remaining_seconds >= self.fair_seconds
            with self.breaker.attempt(timeouts_count=fair), stopwatch.stage("service"):
                yield


def open_lanes(
    settings: GatewaySettings, clock: Callable[[], float], gates: Mapping[str, DrainGate]
) -> dict[str, Lane]:
    """Build the lane of each service that the client has a gate for."""
    return {modality: open_lane(settings, clock, gate) for modality, gate in gates.items()}


def open_lane(settings: GatewaySettings, clock: Callable[[], float], gate: DrainGate) -> Lane:
    """Build the lane of one service from the settings; `gate` is the client's."""
    return Lane(
        gate=gate,
        breaker=CircuitBreaker(
            failure_threshold=settings.breaker_failures,
            probe_after_seconds=settings.breaker_probe_seconds,
            clock=clock,
        ),
        limiter=ConcurrencyLimiter(
            limit=settings.max_concurrency,
            max_waiting=settings.max_waiting,
            max_wait_seconds=settings.max_wait_seconds,
        ),
        fair_seconds=settings.deadline_seconds * FAIR_SHARE,
    )
