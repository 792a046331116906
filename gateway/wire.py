"""One kept connection to a service: a request goes out as it is, its whole answer comes back.

HTTP/1.1 as far as our own services speak it: one request at a time, answers that state their
length or come in chunks. Whatever else arrives ends the connection. Which connection is taken, and
for how long it is waited for, is decided in `transport`.
"""

from __future__ import annotations

import asyncio
import select
from dataclasses import dataclass, field
from typing import cast

import httptools
import httpx2

#: Largest head of an answer; ours have a few hundred bytes.
MAX_HEAD_BYTES = 64 * 1024


@dataclass(slots=True)
class Reply:
    """One answer as it arrives."""

    status: int = 0
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytearray = field(default_factory=bytearray)


class Wire(asyncio.Protocol):
    """Made by the loop's `create_connection`; ask, and ask again while `is_reusable`."""

    def __init__(self, max_answer_bytes: int) -> None:
        """A longer answer is cut off while it arrives."""
        self._max_answer_bytes = max_answer_bytes
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._reply = Reply()
        self._answered: asyncio.Future[Reply] | None = None
        self._arrived_bytes = 0
        self._in_head = True
        self._is_kept = True

    @property
    def is_reusable(self) -> bool:
        """True when the next request may go out here."""
        if not self._is_kept or self._transport is None or self._transport.is_closing():
            return False
        # What waits unread is the end of the connection, or an answer that would pass for the next.
        unread = select.poll()
        unread.register(self._transport.get_extra_info("socket").fileno(), select.POLLIN)
        return not unread.poll(0)

    async def ask(self, head: bytes, body: bytes) -> Reply:
        """Send a request and return the answer.

        Raises httpx2's ReadError or RemoteProtocolError. Whoever stops waiting closes the wire.
        """
        if self._transport is None:
            raise httpx2.ReadError("the connection is closed")
        self._reply, self._arrived_bytes, self._in_head = Reply(), 0, True
        self._answered = asyncio.get_running_loop().create_future()
        self._transport.writelines([head, body] if body else [head])
        return await self._answered

    def close(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; bytes that nobody asked for end the connection."""
        if self._answered is None or self._answered.done():
            self.close()
            return
        # After the body, too: the parser collects a trailer without end.
        if self._arrived_bytes > MAX_HEAD_BYTES + (0 if self._in_head else self._max_answer_bytes):
            self._fail(httpx2.RemoteProtocolError("head, chunks or trailer too large"))
            return
        self._arrived_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx2.RemoteProtocolError(f"no HTTP answer: {type(error).__name__}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no whole answer will come."""
        self._transport = None
        self._fail(httpx2.ReadError("closed before the answer was whole"))

    def on_message_begin(self) -> None:
        """An answer begins. A second one in the same breath answers no request of ours."""
        if self._answered is None or self._answered.done():
            self._is_kept = False
        self._reply, self._in_head = Reply(), True

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. One that follows the body may not pass for one of the head."""
        if self._in_head:
            self._reply.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._reply.status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        """Keep a piece, as long as the answer is not too large."""
        self._reply.body += body
        if len(self._reply.body) > self._max_answer_bytes:
            self._fail(httpx2.RemoteProtocolError("answer too large"))

    def on_message_complete(self) -> None:
        """The answer is whole, unless it only says that one will come (1xx)."""
        if self._reply.status < 200 or self._answered is None or self._answered.done():
            return
        assert self._transport is not None
        # What was refused before it was sent whole leaves half a request in the connection.
        sent = self._transport.get_write_buffer_size() == 0
        self._is_kept = self._is_kept and sent and self._parser.should_keep_alive()
        self._answered.set_result(self._reply)

    def _fail(self, error: Exception) -> None:
        """Give up on this connection and tell who waits."""
        self._is_kept = False
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)
        self.close()
