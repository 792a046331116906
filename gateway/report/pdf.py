"""Print a page as PDF: typst, in a few threads of its own, so that the event loop goes on.

The template is fixed; every text of the page reaches it as data and none as markup. Typst holds
its own fonts, so the same page gives the same bytes on every machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Final

import typst

from gateway.about import NAME
from gateway.limiter import ConcurrencyLimiter
from gateway.report.page import Figure, Page
from gateway.report.text import harmless, plain_of, printable
from gateway.report.words import words
from serving.deadline import Deadline
from serving.threads import give_way

#: Tagged for screen readers (ISO 14289-1); typst refuses to write one that is not.
STANDARD: Final = "ua-1"
#: Reports that may wait for a thread; the next one is refused at once.
MAX_WAITING = 16
#: Their own deadline ends the wait sooner.
MAX_WAIT_SECONDS = 60.0


class PdfPress:
    """Compiles PDFs, `threads` at a time; close it in the end."""

    def __init__(self, threads: int, max_waiting: int = MAX_WAITING) -> None:
        """`threads` is at least 1."""
        self._threads = ThreadPoolExecutor(threads, "report", give_way)
        self._queue = ConcurrencyLimiter(
            limit=threads,
            max_waiting=max_waiting,
            max_wait_seconds=MAX_WAIT_SECONDS,
        )

    def close(self) -> None:
        """Let go of what waits; a running compilation ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def print(self, page: Page, made: datetime, deadline: Deadline) -> bytes:
        """Return the PDF; raise Overloaded (503) or UpstreamTimeout (504)."""
        loop = asyncio.get_running_loop()
        async with deadline.scope(), self._queue.slot(seconds_left=deadline.remaining_seconds):
            return await loop.run_in_executor(self._threads, to_pdf, page, made)


def to_pdf(page: Page, made: datetime) -> bytes:
    """Return the PDF of a page; `made` becomes its creation date. CPU-bound, about 0.1 s."""
    plain = plain_of(page, lambda text: printable(harmless(text)))
    for figure in plain["figures"]:
        del figure["png"]
    inputs = {"page": json.dumps(plain), "words": json.dumps(dict(words())), "brand": NAME}
    inputs |= {f"figure-{index}": _as_svg(figure) for index, figure in enumerate(page.figures)}
    pdf: bytes = typst.compile(
        _template(),
        format="pdf",
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs=inputs,
        pdf_standards=STANDARD,
        timestamp=made.replace(microsecond=0),
    )
    return pdf


@cache
def _template() -> bytes:
    return (files("gateway.report") / "report.typ").read_bytes()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False)


def _as_svg(figure: Figure) -> str:
    """Return the picture as SVG, because what is handed to typst has to be text."""
    data = base64.b64encode(figure.png).decode()
    sides = f'width="{figure.width}" height="{figure.height}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {sides}>'
        f'<image {sides} preserveAspectRatio="none" href="data:image/png;base64,{data}"/></svg>'
    )
