"""The load generator against a small real server whose behaviour is known."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from PIL import Image

from bench.film import film, gets, posts, raw_posts
from bench.load import closed_loop, fixed_count, open_loop


class Stub:
    """Answers each request after a pause and keeps the digests of the bodies."""

    def __init__(self, pause: float = 0.0, status: str = "200 OK") -> None:
        self.pause = pause
        self.status = status
        self.digests: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line[15:])
                self.digests.append(hashlib.sha256(await reader.readexactly(length)).hexdigest())
                await asyncio.sleep(self.pause)
                writer.write(
                    f"HTTP/1.1 {self.status}\r\nServer-Timing: decode;dur=2, infer;dur=4\r\n"
                    "Retry-After: 3\r\nContent-Length: 2\r\n\r\nok".encode()
                )
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def listening(stub: Stub) -> AsyncIterator[tuple[str, int]]:
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[:2]


async def test_a_closed_loop_never_has_more_requests_under_way_than_clients():
    stub = Stub(pause=0.05)

    async with listening(stub) as address:
        load = await closed_loop(address, gets("/"), clients=4, seconds=0.5)

    assert load.failures == 0
    assert 0 < len(load.answers) <= 4 * 0.5 / 0.05
    assert load.percentile_ms(0.5) >= 50


async def test_a_fixed_count_asks_exactly_so_often_and_every_body_differs():
    stub = Stub()

    async with listening(stub) as address:
        load = await fixed_count(address, posts(film(), "/v1/x", field="file"), clients=3, count=30)

    assert load.statuses == {200: 30}
    assert len(set(stub.digests)) == 30


async def test_an_open_loop_counts_the_time_that_requests_wait_in_line():
    stub = Stub(pause=0.2)

    async with listening(stub) as address:
        load = await open_loop(address, gets("/"), rate=50, seconds=1.0)

    assert load.failures == 0
    assert len(load.answers) == pytest.approx(50, abs=30)
    assert load.percentile_ms(0.01) >= 200


async def test_refusals_keep_their_status_and_headers_and_do_not_count_as_served():
    stub = Stub(status="503 Service Unavailable")

    async with listening(stub) as address:
        load = await fixed_count(address, gets("/"), clients=1, count=2)

    assert load.rate == 0
    assert load.statuses == {503: 2}
    assert load.answers[0].header("retry-after") == "3"


async def test_a_server_that_is_not_there_gives_status_0():
    async with listening(Stub()) as address:
        pass

    load = await fixed_count(address, gets("/"), clients=1, count=1)

    assert load.statuses == {0: 1}


async def test_an_answer_that_does_not_come_in_time_gives_status_0():
    stub = Stub(pause=5)

    async with listening(stub) as address:
        load = await open_loop(address, gets("/"), rate=20, seconds=0.2, timeout_seconds=0.1)

    assert set(load.statuses) == {0}


async def test_the_stages_are_read_from_the_answers():
    async with listening(Stub()) as address:
        load = await fixed_count(address, gets("/"), clients=1, count=3)

    assert load.stage_means_ms() == {"decode": 2.0, "infer": 4.0}


def test_a_numbered_film_is_the_same_picture_in_other_bytes():
    request = raw_posts(film(), "/")
    bodies = [b"".join(request()).partition(b"\r\n\r\n")[2] for _ in range(2)]

    assert bodies[0] != bodies[1]
    pictures = [Image.open(io.BytesIO(body)).tobytes() for body in bodies]
    assert pictures[0] == pictures[1] == Image.open(io.BytesIO(film())).tobytes()
