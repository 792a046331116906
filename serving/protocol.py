"""The protocol that our server speaks: it refuses requests in the app's place.

A body for which there is no memory is answered with 503, and so is a request that is turned away
at the door (`serving.door`); what still comes of it is thrown away for a moment, as a connection
that is closed at once would be reset before the sender has read the answer. The bounds on heads
lie beneath, in `serving.patience`.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import Any

from uvicorn.config import Config
from uvicorn.server import ServerState

from contracts.shortage import is_shortage, out_of_memory
from serving.door import Door, Head, Refusal
from serving.last_answer import last_answer
from serving.patience import PatientProtocol

LINGER_SECONDS = 1.0
_log = logging.getLogger("serving.protocol")


class RefusingProtocol(PatientProtocol):
    """Answers itself where the app is not to be asked, or has no memory to be asked with."""

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
        self._refused = False
        self._door = door

    def data_received(self, data: bytes) -> None:
        """Feed the parser, unless nothing of this connection is wanted any more."""
        if not (self.transport.is_closing() or self._refused):
            super().data_received(data)

    def on_headers_complete(self) -> None:
        """The head is whole: ask the door before anything is built for it."""
        self._end_head()
        if self._refused or self._is_turned_away():
            return
        super().on_headers_complete()

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
        """Called where the parser failed. It fails for want of memory, too."""
        if (error := sys.exception()) is not None and is_shortage(error):
            self._refuse()
            return
        super().send_400_response(msg)

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
            self.transport.write(last_answer(refusal.answer, refusal.request_id))
            self.loop.call_later(LINGER_SECONDS, self.transport.close)

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
            self.transport.write(last_answer(out_of_memory()))
        if cycle is not None:
            cycle.body = bytearray()
            cycle.disconnected = True
            cycle.message_event.set()
        self.flow.resume_reading()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)
