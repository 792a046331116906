"""How the HTTP client of one service reaches it: a bounded pool of kept connections.

A transport in place of httpx2's own, which spends a third of the gateway's time per
request on an HTTP/1.1 stack in Python. The answer is read whole before it is handed over.
"""

from __future__ import annotations

import asyncio
import functools
import re
import ssl

import httpx2

from gateway.wire import Reply, Wire

#: Largest answer that is read; an explanation with its overlay is far below.
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_CONNECT_TRIES = 2
_BREAKS = re.compile(rb"[\r\n\0]")


class ServiceTransport(httpx2.AsyncBaseTransport):
    """Speaks HTTP/1.1 to the one origin of its client; raises what httpx2's own one raises.

    A failed connect, and nothing else, is tried once more.
    """

    def __init__(self, *, max_connections: int, keepalive_seconds: float) -> None:
        """A connection that was idle for longer is not used again."""
        self._places = asyncio.Semaphore(max_connections)
        self._keepalive_seconds = keepalive_seconds
        self._idle: list[tuple[Wire, float]] = []
        self._is_closed = False

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the whole answer; the time-outs are those of the request."""
        limits = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(limits.get("pool")):
                await self._places.acquire()
        except TimeoutError as error:
            raise httpx2.PoolTimeout("all connections are in use") from error
        try:
            return await self._exchange(request, limits)
        finally:
            self._places.release()

    async def aclose(self) -> None:
        """Close what is idle now, and each connection that is in use when its answer is there."""
        self._is_closed = True
        while self._idle:
            self._idle.pop()[0].close()

    async def _exchange(
        self, request: httpx2.Request, limits: dict[str, float | None]
    ) -> httpx2.Response:
        """One request on a kept connection or on a new one, which is kept if it may be."""
        head, body = _head_of(request), await request.aread()
        wire = self._kept() or await self._connect(request.url, limits.get("connect"))
        reply: Reply | None = None
        try:
            async with asyncio.timeout(limits.get("read")):
                reply = await wire.ask(head, body)
        except TimeoutError as error:
            raise httpx2.ReadTimeout("no answer in time") from error
        finally:
            if reply is not None and wire.is_reusable and not self._is_closed:
                self._keep(wire)
            else:
                wire.close()
        return _response_of(reply)

    def _keep(self, wire: Wire) -> None:
        """Keep a connection for the next request; close those that a past rush left behind."""
        now = asyncio.get_running_loop().time()
        self._idle.append((wire, now))
        while now - self._idle[0][1] > self._keepalive_seconds:
            self._idle.pop(0)[0].close()

    def _kept(self) -> Wire | None:
        """Return the connection that was used last, if it is fresh; old ones are closed."""
        now = asyncio.get_running_loop().time()
        while self._idle:
            wire, since = self._idle.pop()
            if wire.is_reusable and now - since < self._keepalive_seconds:
                return wire
            wire.close()
        return None

    async def _connect(self, url: httpx2.URL, timeout_seconds: float | None) -> Wire:
        """Open a connection; a failure is tried once more."""
        if url.scheme not in ("http", "https"):
            raise httpx2.UnsupportedProtocol("a service is reached over http or https")
        secure = _secure() if url.scheme == "https" else None
        port = url.port or (443 if secure else 80)
        loop = asyncio.get_running_loop()
        failure: httpx2.TransportError = httpx2.ConnectError("not tried")
        for _ in range(_CONNECT_TRIES):
            try:
                async with asyncio.timeout(timeout_seconds):
                    _, wire = await loop.create_connection(
                        lambda: Wire(MAX_ANSWER_BYTES), url.host, port, ssl=secure
                    )
                return wire
            except TimeoutError:
                failure = httpx2.ConnectTimeout("no connection in time")
            except OSError as error:
                failure = httpx2.ConnectError(type(error).__name__)
        raise failure


@functools.cache
def _secure() -> ssl.SSLContext:
    """The one context: reading the authorities of the system takes tens of milliseconds."""
    return ssl.create_default_context()


def _response_of(reply: Reply) -> httpx2.Response:
    """Return the whole answer; raise RemoteProtocolError for a packed one, which nobody asked for.

    httpx2 would unpack it here, to whatever size.
    """
    headers = httpx2.Headers(reply.headers)
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise httpx2.RemoteProtocolError("the answer is packed")
    return httpx2.Response(reply.status, headers=headers, content=bytes(reply.body))


def _head_of(request: httpx2.Request) -> bytes:
    """Return request line and headers; raise LocalProtocolError for one that would end early."""
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    lines += [b"%s: %s" % pair for pair in request.headers.raw]
    if any(_BREAKS.search(line) for line in lines):
        raise httpx2.LocalProtocolError("a header holds a line break")
    return b"\r\n".join(lines) + b"\r\n\r\n"
