"""Measure part after part: what fails is noted with its reason, and the next part begins."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class NotMeasured(RuntimeError):
    """A part cannot be measured; the first line of the message says why, in words for the page."""


class Attempts:
    """The parts that failed so far, each with its reason."""

    def __init__(self) -> None:
        """Nothing has failed yet."""
        self.failed: dict[str, str] = {}

    def get(self, part: str, work: Callable[[], T]) -> T | None:
        """Return what `work` measured; None, with the reason noted, when it raised.

        The page gets our own words or the name of the error: its text may name files.
        """
        print(part, flush=True)
        try:
            return work()
        except NotMeasured as error:
            reason = str(error).partition("\n")[0]
            print(f"{part}: {error}", file=sys.stderr)
        except Exception as error:
            reason = type(error).__name__
            traceback.print_exception(error)
        self.failed[part] = reason
        return None
