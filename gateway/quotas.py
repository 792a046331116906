"""Requests per minute and caller: in memory, or in Redis or Valkey for several gateways.

When the shared store does not answer in time, a local bucket counts instead until it is back: the
limit is then per gateway, which is better than none and better than refusing everybody.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Self

from limits import RateLimitItemPerMinute
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from contracts.errors import RateLimited
from gateway.window import Count, MovingWindow

LOGGER = logging.getLogger(__name__)

STORE_TIMEOUT_SECONDS = 0.2
#: After a failure the shared store is left alone for this long.
PAUSE_SECONDS = 5.0
WINDOW_SECONDS = 60
SHARED_ERRORS = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller in the current window."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the `RateLimit-*` headers."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_seconds),
            "RateLimit-Policy": f"{self.limit};w={WINDOW_SECONDS}",
        }


class QuotaExceeded(RateLimited):
    """The refusal (429) with its allowance, so that the headers can be sent beside it."""

    def __init__(self, allowance: Allowance) -> None:
        """Say the limit and when to come back."""
        super().__init__(
            f"The limit is {allowance.limit} requests per minute.",
            retry_after_seconds=max(1, allowance.reset_seconds),
        )
        self.allowance = allowance


class Quotas(AbstractAsyncContextManager["Quotas"]):
    """Counts requests over a moving window of one minute."""

    def __init__(
        self,
        requests_per_minute: int,
        *,
        shared_url: str | None = None,
        store_timeout_seconds: float = STORE_TIMEOUT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """0 means no limit. `shared_url` is a redis, rediss or redis+unix URL, of Valkey too."""
        self._requests_per_minute = requests_per_minute
        self._store_timeout_seconds = store_timeout_seconds
        self._clock = clock
        self._local = MovingWindow(window_seconds=WINDOW_SECONDS, clock=clock)
        self._pool: ConnectionPool | None = None
        self._shared: MovingWindowRateLimiter | None = None
        if shared_url is not None:
            self._pool = ConnectionPool.from_url(
                shared_url.replace("redis+unix://", "unix://"),
                socket_timeout=store_timeout_seconds,
                socket_connect_timeout=store_timeout_seconds,
            )
            storage = RedisStorage(
                "async+redis://",
                implementation="redispy",
                connection_pool=self._pool,  # type: ignore[arg-type] # documented, not annotated
            )
            self._shared = MovingWindowRateLimiter(storage)
        self._paused_until = -math.inf

    async def __aenter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close the connections to the shared store."""
        if self._pool is not None:
            await self._pool.aclose()

    @property
    def is_shared(self) -> bool:
        """True while the shared store counts; readiness tells it."""
        return self._shared is not None and self._clock() >= self._paused_until

    async def spend(self, caller: str, requests_per_minute: int | None = None) -> Allowance | None:
        """Count one request; return what is left, None without a limit.

        `requests_per_minute` is the caller's own limit in place of the gateway's. Raises
        QuotaExceeded (429) when nothing is left; a refused request is not counted.
        """
        limit = requests_per_minute or self._requests_per_minute
        if limit == 0:
            return None
        count = await self._hit(caller, limit)
        reset = min(WINDOW_SECONDS, max(0, math.ceil(count.reset_seconds)))
        allowance = Allowance(limit, count.remaining, reset)
        if not count.within:
            raise QuotaExceeded(allowance)
        return allowance

    async def _hit(self, caller: str, limit: int) -> Count:
        """Count in the shared store, or here while it is gone."""
        if self._shared is not None and self.is_shared:
            try:
                async with asyncio.timeout(self._store_timeout_seconds):
                    return await _hit_shared(self._shared, caller, limit)
            except SHARED_ERRORS as error:
                self._paused_until = self._clock() + PAUSE_SECONDS
                LOGGER.warning("shared rate limit store is gone: %s", type(error).__name__)
        return self._local.hit(caller, limit)


async def _hit_shared(limiter: MovingWindowRateLimiter, caller: str, limit: int) -> Count:
    """Count one request in the store that several gateways share."""
    item = RateLimitItemPerMinute(limit)
    within = await limiter.hit(item, caller)
    window = await limiter.get_window_stats(item, caller)
    return Count(within, max(0, window.remaining), window.reset_time - time.time())
