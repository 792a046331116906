"""Refuse without reading: close the connection when an answer leaves a body unread.

A connection with half a body in it cannot carry the next request. But closing it at once makes
the kernel send a reset, which may destroy the answer before a client that is still sending has
read it. So the answer goes out whole, what still comes is thrown away for a moment, and then the
connection ends.
"""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LINGER_SECONDS = 1.0
LINGER_BYTES = 64 * 1024 * 1024


class CloseUnreadMiddleware:
    """Pure ASGI: adds `Connection: close` and lingers where the body was not read to its end."""

    def __init__(self, app: ASGIApp, linger_seconds: float = LINGER_SECONDS) -> None:
        """`linger_seconds` bounds how long an unread body is thrown away."""
        self._app = app
        self._linger_seconds = linger_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Watch whether the body is read, and end the connection if it is not."""
        if scope["type"] != "http" or not _has_body(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        complete = held_back = False

        async def watched_receive() -> Message:
            nonlocal complete
            message = await receive()
            complete = complete or not message.get("more_body", False)
            return message

        async def closing_send(message: Message) -> None:
            nonlocal held_back
            if message["type"] == "http.response.start" and not complete:
                held_back = True
                MutableHeaders(scope=message)["Connection"] = "close"
            if message["type"] == "http.response.body" and held_back:
                message = {**message, "more_body": True}
            await send(message)

        await self._app(scope, watched_receive, closing_send)
        if held_back:
            await self._linger(watched_receive)
            await send({"type": "http.response.body", "body": b""})

    async def _linger(self, receive: Receive) -> None:
        """Throw away what comes, for a bounded time and a bounded amount."""
        left = LINGER_BYTES
        try:
            async with asyncio.timeout(self._linger_seconds):
                while left > 0:
                    message = await receive()
                    if not message.get("more_body", False):
                        return
                    left -= len(message.get("body", b""))
        except TimeoutError:
            return


def _has_body(headers: Headers) -> bool:
    """True when the head announces a body."""
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
