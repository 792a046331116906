"""One kept connection that speaks just enough HTTP/1.1 to send a request and time its answer.

As little work as possible: the generator shares its cores with the server that it measures.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from bench.answers import Answer

_END_OF_HEAD = b"\r\n\r\n"


class Connection(asyncio.Protocol):
    """Asks one thing at a time; opens itself when needed and again after a failure."""

    def __init__(self, address: tuple[str, int]) -> None:
        """`address` is host and port."""
        self._address = address
        self._transport: asyncio.Transport | None = None
        self._answered: asyncio.Future[bytes] | None = None
        self._received = bytearray()
        self._head_end = -1
        self._expected = -1

    async def ask(
        self, pieces: tuple[bytes, ...], since: float, timeout_seconds: float = 30.0
    ) -> Answer:
        """Send a request and return its answer, timed from `since` (`time.monotonic`).

        Whatever fails gives status 0 and a fresh connection for the next request.
        """
        try:
            async with asyncio.timeout(timeout_seconds):
                transport = await self._open()
                self._answered = asyncio.get_running_loop().create_future()
                transport.writelines(pieces)
                head = await self._answered
        except (OSError, TimeoutError, ValueError):
            self.close()
            return Answer(0, monotonic() - since, b"")
        status = int(head[9:12])
        if b"connection: close" in head.lower():
            self.close()
        return Answer(status, monotonic() - since, head)

    def close(self) -> None:
        """Close the connection; the next request opens a new one."""
        if self._transport is not None:
            self._transport.abort()
        self._transport = None
        self._answered = None

    def data_received(self, data: bytes) -> None:
        """Collect until the declared length is there."""
        self._received += data
        if self._head_end < 0:
            self._head_end = self._received.find(_END_OF_HEAD)
            if self._head_end < 0:
                return
            self._expected = self._head_end + len(_END_OF_HEAD) + self._length()
        if len(self._received) >= self._expected and self._answered is not None:
            head = bytes(self._received[: self._head_end])
            self._received.clear()
            self._head_end = -1
            if not self._answered.done():
                self._answered.set_result(head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        self._transport = None
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionResetError("closed before the answer"))

    async def _open(self) -> asyncio.Transport:
        if self._transport is None or self._transport.is_closing():
            self._received.clear()
            self._head_end = -1
            host, port = self._address
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_connection(lambda: self, host, port)
            self._transport = transport
        return self._transport

    def _length(self) -> int:
        for line in bytes(self._received[: self._head_end]).lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                return int(line[15:])
        return 0
