"""MovingWindow: how many requests a name made in the last minute, counted in this process.

On the monotonic clock, so that a jump of the wall clock neither locks callers out nor lets them
through. Memory is bounded: names that were quiet for a whole window are forgotten, and beyond
`max_names` the one that was quiet longest.
"""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

MAX_NAMES = 20_000


@dataclass(frozen=True, slots=True)
class Count:
    """The result of one request: was it within the limit, what is left, when does more come."""

    within: bool
    remaining: int
    reset_seconds: float


class MovingWindow:
    """Exact counts over a moving window."""

    def __init__(
        self,
        *,
        window_seconds: float = 60.0,
        max_names: int = MAX_NAMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`clock` never goes back."""
        self._window_seconds = window_seconds
        self._max_names = max_names
        self._clock = clock
        self._times: OrderedDict[str, deque[float]] = OrderedDict()

    def hit(self, name: str, limit: int) -> Count:
        """Count one request if it is within the limit; a refused one is not counted."""
        now = self._clock()
        times = self._times.setdefault(name, deque())
        self._times.move_to_end(name)
        while times and times[0] <= now - self._window_seconds:
            times.popleft()
        within = len(times) < limit
        if within:
            times.append(now)
        self._forget(now)
        reset = times[0] + self._window_seconds - now if times else 0.0
        return Count(within, max(0, limit - len(times)), reset)

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._times)

    def _forget(self, now: float) -> None:
        """Drop names from the quiet end."""
        while self._times:
            name, times = next(iter(self._times.items()))
            quiet = not times or times[-1] <= now - self._window_seconds
            if not quiet and len(self._times) <= self._max_names:
                return
            if len(self._times) == 1:
                return
            del self._times[name]
