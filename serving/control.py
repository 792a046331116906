"""The control run of a service, which computes its golden cases again, when memory is short."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import TypeVar

from contracts.shortage import is_shortage

Report = TypeVar("Report")
_log = logging.getLogger("serving.control")


async def unless_starved(run: Awaitable[Report]) -> Report | None:
    """Return what a control run reports, None when there was no memory for it.

    That says nothing about the model, and there is a next time.
    """
    try:
        return await run
    except Exception as error:
        if not is_shortage(error):
            raise
        _log.error("quality control skipped: out of memory")
        return None
