"""uvicorn's httptools protocol with bounds on the head of a request.

A connection that has not sent a whole request head in time is closed: silent ones, half heads,
one byte a second. Slow bodies are the reader's concern (`serving.body`). Heads are also bounded
in size and number, before they are collected without end.
"""

from __future__ import annotations

import asyncio
import select
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from contracts.errors import BadRequest
from serving.last_answer import last_answer

HEAD_SECONDS = 8.0
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
#: How long a stopping server waits for a head that is on its way.
LAST_HEAD_SECONDS = 1.0


class PatientProtocol(HttpToolsProtocol):
    """Patient, but not for ever."""

    head_seconds = HEAD_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Called by the server for each connection."""
        super().__init__(config, server_state, app_state, _loop)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._in_head = False
        self._head_too_large = False
        self._is_last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: the first head is due."""
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; the first byte after an idle spell starts the clock."""
        if self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_head()
        super().data_received(data)
        if self._in_head:
            self._unparsed_bytes += len(data)
            if self._unparsed_bytes > MAX_HEAD_BYTES:
                self._head_too_large = True
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = True
        self._head_bytes = self._unparsed_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._end_head()
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request with a problem and close; a begun answer is cut instead."""
        if self.cycle is None or self.cycle.response_complete:
            refusal = BadRequest("This is not a valid HTTP request.")
            if self._head_too_large:
                refusal = BadRequest("The request head is too large.", code="head_too_large")
                refusal.status, refusal.title = 431, "Request head too large"
            self.transport.write(last_answer(refusal))
        self.transport.close()

    def shutdown(self) -> None:
        """The server stops: close, unless a request may be on its way, which is answered first.

        It is where nothing was asked yet, where half a head lies, and where bytes wait unread.
        """
        if self.transport.is_closing():
            return
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle and (self.cycle is None or self._in_head or self._has_unread()):
            self._is_last = True
            self._expect_head(min(LAST_HEAD_SECONDS, self.head_seconds))
        else:
            super().shutdown()

    def _has_unread(self) -> bool:
        """True when the kernel holds bytes of this connection."""
        unread = select.poll()
        unread.register(self.transport.get_extra_info("socket").fileno(), select.POLLIN)
        return bool(unread.poll(0))

    def _count(self, length: int) -> None:
        """Stop parsing a head that is larger than any honest one."""
        self._head_bytes += length
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADERS:
            self._head_too_large = True
            raise ValueError("request head too large")

    def _end_head(self) -> None:
        """Nothing more of a head is due."""
        self._in_head = False
        self._stop_clock()

    def _expect_head(self, seconds: float | None = None) -> None:
        """Close the connection unless a whole head arrives in time, `head_seconds` by default."""
        self._stop_clock()
        patience = self.head_seconds if seconds is None else seconds
        self._head_timer = self.loop.call_later(patience, self._give_up)

    def _stop_clock(self) -> None:
        """No head is due."""
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _give_up(self) -> None:
        """The head did not come: close without an answer, as nothing was asked."""
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()
