"""uvicorn's httptools protocol with the time-outs that it lacks.

A connection that has not sent a whole request head in time is closed: silent ones, half heads,
one byte a second. Slow bodies are the reader's concern (`serving.body`). Heads are also bounded
in size and number, before they are collected without end. A body for which there is no memory is
answered with 503, and so is a request that is turned away at the door (`serving.door`); what still
comes of it is thrown away for a moment, as a connection that is closed at once would be reset
before the sender has read the answer.
"""

from __future__ import annotations

import asyncio
import logging
import select
import sys
from http import HTTPStatus
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from contracts.errors import BadRequest, ServiceError
from contracts.shortage import is_shortage, out_of_memory
from serving.door import Door, Head, Refusal
from serving.headers import DEFAULT_HEADERS
from serving.problems import problem_response
from serving.request_id import HEADER, new_request_id

HEAD_SECONDS = 8.0
MAX_HEAD_BYTES = 32 * 1024
MAX_HEADERS = 100
LINGER_SECONDS = 1.0
#: How long a stopping server waits for a head that is on its way.
LAST_HEAD_SECONDS = 1.0
_log = logging.getLogger("serving.protocol")


class PatientProtocol(HttpToolsProtocol):
    """Patient, but not for ever."""

    head_seconds = HEAD_SECONDS

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        door: Door | None = None,
    ) -> None:
        """Called by the server for each connection."""
        super().__init__(config, server_state, app_state, _loop)
        self._head_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._unparsed_bytes = 0
        self._in_head = False
        self._head_too_large = False
        self._refused = False
        self._is_last = False
        self._door = door

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
        if self.transport.is_closing() or self._refused:
            return
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
        self._in_head = False
        self._stop_clock()
        if self._refused or self._is_turned_away():
            return
        super().on_headers_complete()
        if self._is_last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body, if there is memory for it."""
        if self._refused:
            return
        try:
            super().on_body(body)
        except MemoryError:
            self._refuse()

    def on_message_complete(self) -> None:
        """The body is whole."""
        if not self._refused:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer is out; the connection ends with the last one before a body without memory."""
        is_last = self._refused and not self.pipeline
        super().on_response_complete()
        if is_last:
            self._unset_keepalive_if_required()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request with a problem and close; a begun answer is cut instead.

        Called where the parser failed. It fails for want of memory, too.
        """
        if (error := sys.exception()) is not None and is_shortage(error):
            self._refuse()
            return
        if self.cycle is None or self.cycle.response_complete:
            refusal = BadRequest("This is not a valid HTTP request.")
            if self._head_too_large:
                refusal = BadRequest("The request head is too large.", code="head_too_large")
                refusal.status, refusal.title = 431, "Request head too large"
            self._write_problem(refusal)
        self.transport.close()

    def _is_turned_away(self) -> bool:
        """Ask the door about a request that nothing else waits for."""
        if self._door is None or not (self.cycle is None or self.cycle.response_complete):
            return False
        refusal = self._door.look(Head(self.parser.get_method(), self.url, self.headers))
        if refusal is None:
            return False
        self._refused = True
        refusal.recorded.add_done_callback(lambda _: self._tell(refusal))
        return True

    def _tell(self, refusal: Refusal) -> None:
        """Answer who was turned away, if still there."""
        if not self.transport.is_closing():
            self._write_problem(refusal.answer, refusal.request_id)
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

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

    def _refuse(self) -> None:
        """Answer in the app's place; the app hears that the caller has left.

        A request that waits behind another is dropped: an answer now would pass for the other's.
        """
        self._refused = True
        _log.error("out of memory")
        if self.pipeline:
            self.pipeline.popleft()
            self.flow.resume_reading()
            return
        cycle = self.cycle
        if cycle is None or cycle.response_complete or not cycle.response_started:
            self._write_problem(out_of_memory())
        if cycle is not None:
            cycle.body = bytearray()
            cycle.disconnected = True
            cycle.message_event.set()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _write_problem(self, error: ServiceError, request_id: str | None = None) -> None:
        """Write the whole answer of a connection that will be closed."""
        request_id = request_id or new_request_id()
        response = problem_response(error, request_id)
        ours = {**DEFAULT_HEADERS, HEADER: request_id, "Connection": "close"}
        lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in ours.items()]
        lines += [
            f"{name}: {value}" for name, value in response.headers.items() if name != "connection"
        ]
        head = "\r\n".join([*lines, "", ""])
        self.transport.write(head.encode() + bytes(response.body))

    def _count(self, length: int) -> None:
        """Stop parsing a head that is larger than any honest one."""
        self._head_bytes += length
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADERS:
            self._head_too_large = True
            raise ValueError("request head too large")

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
