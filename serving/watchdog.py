"""End a process whose event loop stands still: it answers nobody, not even its liveness probe.

Whoever starts processes again would otherwise take it for running. The interpreter's own watchdog
does it, as no code of ours might get a turn: it writes where each thread stands (files, lines and
functions, no values) to standard error and ends the process with code 1.
"""

from __future__ import annotations

import contextlib
import faulthandler

#: Far above any pause of a process that is well, on a busy machine too.
STUCK_SECONDS = 60.0
_FEEDS = 10
_STANDARD_ERROR = 2


class Watchdog:
    """Feed it from the event loop. One per process, as the interpreter has one."""

    def __init__(self, seconds: float = STUCK_SECONDS) -> None:
        """Not fed for `seconds`, it ends the process; 0 keeps it asleep."""
        self._seconds = seconds
        self._due = 0.0

    def feed(self, now: float) -> None:
        """The loop runs; `now` is its time. Cheap to call often."""
        if self._seconds and now >= self._due:
            self._due = now + self._seconds / _FEEDS
            # Without memory for its thread nobody watches until the next time.
            with contextlib.suppress(RuntimeError, MemoryError):
                faulthandler.dump_traceback_later(self._seconds, exit=True, file=_STANDARD_ERROR)

    def stop(self) -> None:
        """Watch no longer."""
        faulthandler.cancel_dump_traceback_later()
