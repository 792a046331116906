"""A thread of the pool that has nothing to do takes a part of the work of another one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

Result = TypeVar("Result")


class Spare:
    """Hands work to an idle thread where there is one; whoever hands it over never waits long."""

    def __init__(
        self, pool: Executor | None = None, is_idle: Callable[[], bool] = lambda: False
    ) -> None:
        """`pool` takes work while `is_idle` says so; without a pool there is no spare thread."""
        self._pool = pool
        self._is_idle = is_idle

    @property
    def is_there(self) -> bool:
        """True while a thread has nothing to do."""
        return self._idle_pool() is not None

    def begin(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Return what gives the result of `work`, once; raises what it raises.

        Without an idle thread, or where that one has found other work, it is done when asked for.
        """
        pool = self._idle_pool()
        if pool is None:
            return work
        later = pool.submit(work)
        return lambda: work() if later.cancel() else later.result()

    def _idle_pool(self) -> Executor | None:
        """Return the pool while one of its threads has nothing to do."""
        return self._pool if self._is_idle() else None


#: Where nobody shares the work.
NOBODY = Spare()
