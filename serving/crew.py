"""A few threads that each do the whole of one job, and a bounded number of jobs that wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from contracts.errors import Overloaded

Result = TypeVar("Result")


class Crew:
    """Runs blocking calls on the threads of a pool that the caller owns. Used on one event loop."""

    def __init__(self, pool: ThreadPoolExecutor, *, size: int, max_queue: int) -> None:
        """`size` is the number of the pool's threads; `max_queue` jobs may wait for one."""
        self._pool = pool
        self._size = size
        self._max_queue = max_queue
        self._inside = 0

    @property
    def inside(self) -> int:
        """Jobs that run or wait; may be asked from any thread."""
        return self._inside

    @property
    def queue_length(self) -> int:
        """Jobs that wait for a thread."""
        return max(0, self._inside - self._size)

    async def run(self, job: Callable[[], Result]) -> Result:
        """Return what the job returns; raise Overloaded (503) at once when too many wait.

        A job whose caller is cancelled before it has begun never begins.
        """
        if self._inside >= self._size + self._max_queue:
            raise Overloaded("Too many requests are waiting.", retry_after_seconds=1)
        self._inside += 1
        future = asyncio.get_running_loop().run_in_executor(self._pool, job)
        future.add_done_callback(self._leave)
        return await future

    def _leave(self, _future: object) -> None:
        self._inside -= 1
