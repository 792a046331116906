"""What the parser says when it has no memory itself, on a connection without a network."""

import asyncio
from unittest.mock import MagicMock

import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.protocol import RefusingProtocol


class NoRoomForHead(RefusingProtocol):
    def on_header(self, name, value):
        raise MemoryError


class NoRoomForBody(RefusingProtocol):
    """The parser fails before our own `on_body` is called."""

    def on_body(self, body):
        raise MemoryError


class NoRoomForLater(RefusingProtocol):
    """The parser fails at whatever comes while another request is worked on."""

    def on_body(self, body):
        if self.pipeline:
            raise MemoryError
        super().on_body(body)


class NoRoomForLaterPiece(RefusingProtocol):
    """The body of whatever comes while another request is worked on has no room to grow."""

    def on_headers_complete(self):
        super().on_headers_complete()
        if self.pipeline:
            self.cycle.body = NoRoom()


class NoRoom(bytearray):
    def __iadd__(self, other):
        raise MemoryError


async def silent_app(scope, receive, send):
    while (await receive())["type"] != "http.disconnect":
        continue


def connected(kind, app):
    """A connection of this kind, its transport, and the state of its server."""
    config = uvicorn.Config(app, http=kind, log_config=None)
    config.load()
    state = ServerState()
    protocol = kind(config, state, {}, asyncio.get_running_loop())
    transport = MagicMock()
    transport.is_closing.return_value = False
    protocol.connection_made(transport)
    return protocol, transport, state


def written(transport):
    return b"".join(call.args[0] for call in transport.write.call_args_list)


@pytest.mark.parametrize("kind", [NoRoomForHead, NoRoomForBody])
async def test_F12_a_parser_without_memory_is_a_503_and_not_the_senders_fault(kind):
    protocol, transport, state = connected(kind, silent_app)

    protocol.data_received(b"POST /x HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody")
    protocol.data_received(b" and more")
    await asyncio.gather(*state.tasks)

    assert written(transport).startswith(b"HTTP/1.1 503")
    assert written(transport).count(b"HTTP/1.1") == 1
    assert b'"code":"overloaded"' in written(transport)
    protocol.connection_lost(None)


@pytest.mark.parametrize("kind", [NoRoomForLater, NoRoomForLaterPiece])
async def test_F12_a_refusal_for_want_of_memory_never_passes_for_an_earlier_answer(
    kind, monkeypatch
):
    monkeypatch.setattr("serving.protocol.LINGER_SECONDS", 0.0)
    asked, may_answer = [], asyncio.Event()

    async def app(scope, receive, send):
        asked.append(scope["path"])
        await may_answer.wait()
        headers = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    protocol, transport, state = connected(kind, app)
    head = b"POST %s HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    protocol.data_received(b"".join(head % path for path in (b"/1st_", b"/2nd_", b"/3rd_")))
    await asyncio.sleep(0)
    before = written(transport)
    may_answer.set()
    while state.tasks:
        await asyncio.gather(*state.tasks)
    await asyncio.sleep(0.01)

    assert before == b""
    assert asked == ["/1st_"]
    assert written(transport).count(b"HTTP/1.1") == 1
    assert written(transport).endswith(b"/1st_")
    transport.close.assert_called_once()
    protocol.connection_lost(None)
