"""A small inference service on a real socket that can be told to misbehave."""

import asyncio
import json
import socket
import struct
import threading
import time

from tests.gateway.fakes import prediction


class Upstream:
    """Runs in a thread of its own; set `mode` at any time.

    Modes: well, hang, stuck, reset, garbage, half, error_page, drip.
    """

    def __init__(self, modality):
        self.modality = modality
        self.mode = "well"
        self.asked = 0
        self.left = 0
        self.port = 0
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        self._thread.start()
        assert self._started.wait(30)
        return self

    def __exit__(self, *exc):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    async def _serve(self):
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _connection(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next(
                    (
                        int(line.partition(b":")[2])
                        for line in head.split(b"\r\n")
                        if line.lower().startswith(b"content-length:")
                    ),
                    0,
                )
                body = await reader.readexactly(length)
                await self._answer(head.split(b" ")[1], body, reader, writer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            writer.close()

    async def _answer(self, path, body, reader, writer):
        if path == b"/readyz":
            await self._send(writer, b'{"status": "ready"}')
            return
        self.asked += 1
        await getattr(self, f"_{self.mode}")(body, reader, writer)

    async def _well(self, body, reader, writer):
        good = prediction(body, self.modality, label=None, probabilities={}, outcome="abstained")
        await self._send(writer, json.dumps(good).encode())

    async def _hang(self, body, reader, writer):
        await reader.read()  # returns when the other side gives up
        self.left += 1
        raise OSError("gone")

    async def _stuck(self, body, reader, writer):
        while self.mode == "stuck":  # neither this connection nor any other is served
            time.sleep(0.05)  # noqa: ASYNC251 - the fault itself
        raise OSError("gone")

    async def _reset(self, body, reader, writer):
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise OSError("reset")

    async def _garbage(self, body, reader, writer):
        await self._send(writer, b'{"outcome": NaN')

    async def _error_page(self, body, reader, writer):
        await self._send(writer, b"<html>oops</html>", b"text/html")

    async def _half(self, body, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{")
        raise OSError("half")

    async def _drip(self, body, reader, writer):
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def _send(self, writer, body, media_type=b"application/json"):
        head = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % (media_type, len(body)) + body)
        await writer.drain()
