"""The way to a service, against small servers on real sockets whose answers are known."""

from __future__ import annotations

import asyncio
import gzip
import socket
from contextlib import asynccontextmanager

import httpx2
import pytest

from gateway.transport import MAX_ANSWER_BYTES, ServiceTransport

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n"


class Service:
    """Reads whole requests and answers each with the next of `answers`."""

    def __init__(self, *answers: bytes, close: bool = False) -> None:
        self.answers = list(answers)
        self.close = close
        self.connections = self.open = 0
        self.asked, self.left = asyncio.Event(), asyncio.Event()
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []

    async def __call__(self, reader, writer):
        self.connections += 1
        self.open += 1
        self.writer = writer
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = [
                    line for line in head.split(b"\r\n") if line.startswith(b"Content-Length")
                ]
                size = int(length[0].partition(b":")[2]) if length else 0
                self.heads.append(head)
                self.bodies.append(await reader.readexactly(size))
                self.asked.set()
                writer.write(self.answers.pop(0) if self.answers else OK)
                await writer.drain()
                if self.close:
                    return
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.open -= 1
            self.left.set()
            writer.close()


@asynccontextmanager
async def client_of(service, *, connections=2, keepalive=60.0):
    async with await asyncio.start_server(service, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = ServiceTransport(max_connections=connections, keepalive_seconds=keepalive)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            transport=transport,
            timeout=60,
        ) as client:
            yield client


async def test_a_large_body_arrives_as_it_was_sent_and_the_connection_is_used_again():
    service = Service()
    body = bytes(range(256)) * 8192

    async with client_of(service) as client:
        answers = [await client.post("/predict?a=1", content=body) for _ in range(3)]

    assert [answer.content for answer in answers] == [b"ok"] * 3
    assert service.bodies == [body] * 3
    assert service.heads[0].startswith(b"POST /predict?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert service.connections == 1


async def test_an_answer_in_chunks_is_put_together_and_a_1xx_before_it_is_skipped():
    service = Service(b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED + b"\r\n")

    async with client_of(service) as client:
        assert (await client.get("/")).content == b"abc"
        assert (await client.get("/")).content == b"ok"

    assert service.connections == 1


async def test_a_trailer_does_not_pass_for_a_header():
    service = Service(CHUNKED + b"content-type: image/png\r\n\r\n")

    async with client_of(service) as client:
        answer = await client.get("/")

    assert answer.content == b"abc"
    assert "content-type" not in answer.headers


@pytest.mark.parametrize(
    "answer",
    [OK + OK, OK.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")],
    ids=["a second answer that nobody asked for", "connection: close"],
)
async def test_a_connection_that_may_not_be_kept_is_not_used_again(answer):
    service = Service(answer)

    async with client_of(service) as client:
        assert (await client.get("/")).content == b"ok"
        assert (await client.get("/")).content == b"ok"

    assert service.connections == 2


@pytest.mark.parametrize("afterwards", [OK.replace(b"ok", b"no"), b""], ids=["more", "the end"])
async def test_what_came_unasked_and_is_not_read_yet_is_no_answer_to_the_next_request(afterwards):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        loop, (host, port) = asyncio.get_running_loop(), listener.getsockname()

        async def answer():
            connection, _ = await loop.sock_accept(listener)
            await loop.sock_recv(connection, 4096)
            await loop.sock_sendall(connection, OK)
            return connection

        transport = ServiceTransport(max_connections=1, keepalive_seconds=60)
        async with httpx2.AsyncClient(transport=transport, timeout=60) as client:
            first, _ = await asyncio.gather(answer(), client.get(f"http://{host}:{port}/"))
            # From here to the next request the loop has no turn in which it would read.
            first.send(afterwards) if afterwards else first.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(20):
                second, response = await asyncio.gather(
                    answer(), client.get(f"http://{host}:{port}/")
                )

        assert response.content == b"ok"
        first.close()
        second.close()


async def test_a_connection_that_was_idle_too_long_or_was_closed_is_not_used_again():
    idle, closed = Service(), Service(close=True)
    for service, keepalive in ((idle, 0.0), (closed, 60.0)):
        async with client_of(service, keepalive=keepalive) as client:
            await client.get("/")
            await asyncio.sleep(0.05)
            assert (await client.get("/")).status_code == 200

        assert service.connections == 2


async def test_connections_that_only_a_rush_needed_are_closed_while_others_go_on():
    service = Service()
    async with client_of(service, connections=3, keepalive=0.2) as client:
        await asyncio.gather(*(client.get("/") for _ in range(3)))
        assert service.connections == 3
        async with asyncio.timeout(30):
            while service.open > 1:
                await client.get("/")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", httpx2.RemoteProtocolError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", httpx2.ReadError),
        (b"", httpx2.ReadError),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000, httpx2.RemoteProtocolError),
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b" " * (MAX_ANSWER_BYTES + 1),
            httpx2.RemoteProtocolError,
        ),
        (CHUNKED + b"x: " + b"y" * (MAX_ANSWER_BYTES + 2**20), httpx2.RemoteProtocolError),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
            httpx2.RemoteProtocolError,
        ),
    ],
    ids=[
        "no HTTP",
        "half",
        "nothing",
        "endless head",
        "too large",
        "endless trailer",
        "another protocol",
    ],
)
async def test_what_is_no_whole_answer_is_an_error_and_the_next_request_is_well(answer, error):
    service = Service(answer, close=True)

    async with client_of(service) as client:
        with pytest.raises(error):
            await client.get("/")
        assert (await client.get("/")).content == b"ok"


async def test_F16_a_question_whose_answer_breaks_off_is_not_asked_again():
    service = Service(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf", close=True)

    async with client_of(service) as client:
        with pytest.raises(httpx2.TransportError):
            await client.post("/", content=b"question")

    assert service.bodies == [b"question"]


async def test_an_answer_that_is_packed_is_not_unpacked():
    packed = gzip.compress(bytes(64))
    head = b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed)

    async with client_of(Service(head + packed)) as client:
        with pytest.raises(httpx2.RemoteProtocolError, match="packed"):
            await client.get("/")
        assert (await client.get("/")).content == b"ok"


async def test_an_answer_that_is_late_is_a_read_timeout_and_its_connection_is_given_up():
    service = Service(b"HTTP/1.1 100 Continue\r\n\r\n")

    async with client_of(service, connections=1) as client:
        with pytest.raises(httpx2.ReadTimeout):
            async with asyncio.timeout(10):
                await client.get("/", timeout=httpx2.Timeout(30, read=0.2))
        assert (await client.get("/")).content == b"ok"

    assert service.connections == 2


async def test_a_call_that_is_cancelled_frees_its_place():
    service = Service(b"HTTP/1.1 100 Continue\r\n\r\n")

    async with client_of(service, connections=1) as client:
        asked = asyncio.create_task(client.get("/"))
        await service.asked.wait()
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert (await client.get("/")).content == b"ok"


async def test_a_connection_that_is_in_use_when_the_pool_closes_is_closed_with_its_answer():
    async with await asyncio.start_server(service := Service(b""), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = ServiceTransport(max_connections=1, keepalive_seconds=60)
        request = httpx2.Request("GET", f"http://127.0.0.1:{port}/")
        asked = asyncio.create_task(transport.handle_async_request(request))
        await service.asked.wait()
        await transport.aclose()
        service.writer.write(OK)

        assert (await asked).content == b"ok"
        async with asyncio.timeout(20):
            await service.left.wait()


async def test_more_calls_than_connections_wait_and_then_hear_that_all_are_in_use():
    service = Service(b"HTTP/1.1 100 Continue\r\n\r\n")

    async with client_of(service, connections=1) as client:
        asked = asyncio.create_task(client.get("/"))
        await service.asked.wait()
        with pytest.raises(httpx2.PoolTimeout):
            async with asyncio.timeout(10):
                await client.get("/", timeout=httpx2.Timeout(30, pool=0.1))
        asked.cancel()


async def test_nobody_there_is_a_connect_error():
    async with client_of(Service()) as client:
        url = client.base_url
    async with httpx2.AsyncClient(
        transport=ServiceTransport(max_connections=1, keepalive_seconds=1)
    ) as alone:
        with pytest.raises(httpx2.ConnectError):
            await alone.get(url)


async def test_a_header_that_would_end_early_is_not_sent():
    service = Service()

    async with client_of(service) as client:
        with pytest.raises(httpx2.LocalProtocolError):
            await client.get("/", headers={"X-Request-ID": "a\r\nX-Other: b"})

    assert service.heads == []
