import asyncio

import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect

from serving.body import Pace, read_body

LIMIT = 1000


@pytest.fixture
def reading(app):
    @app.post("/read")
    async def read(request: Request) -> dict[str, int]:
        return {"bytes": len(await read_body(request, LIMIT))}

    return app


def a_request(messages, headers=()):
    """A request whose body arrives as the given messages; a number is a pause in seconds."""
    queue = list(messages)

    async def receive():
        if isinstance(queue[0], float):
            await asyncio.sleep(queue.pop(0))
        return queue.pop(0)

    raw = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def piece(body, more=True):
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("size", [0, 1, LIMIT])
async def test_a_body_up_to_the_limit_is_read(reading, call, size):
    response = await call(reading, "POST", "/read", content=b"x" * size)

    assert response.json() == {"bytes": size}


async def test_T1_a_declared_oversize_is_refused_before_the_body_is_read():
    request = a_request([], [("content-length", str(LIMIT + 1))])

    with pytest.raises(Exception, match="larger than 1000 bytes") as refused:
        await read_body(request, LIMIT)

    assert refused.value.status == 413


async def test_T2_a_chunked_oversize_is_refused_at_the_first_byte_too_many():
    request = a_request([piece(b"x" * 600), piece(b"x" * 401), piece(b"never", more=False)])

    with pytest.raises(Exception, match="larger than 1000 bytes") as refused:
        await read_body(request, LIMIT)

    assert refused.value.status == 413
    assert (await request.receive())["body"] == b"never"


@pytest.mark.parametrize("value", ["-1", "1e3", "٣", "9" * 30, "1 2"])
async def test_T3_an_absurd_length_is_refused(value):
    request = Request(
        {
            "type": "http",
            "method": "POST",
            "headers": [(b"content-length", value.encode("utf-8"))],
        },
        None,
    )

    with pytest.raises(Exception, match=r"Content-Length|larger") as refused:
        await read_body(request, LIMIT)

    assert refused.value.status in (400, 413)


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity", "x"])
async def test_T11_an_encoded_body_is_415(reading, call, coding):
    response = await call(
        reading, "POST", "/read", content=b"x", headers={"Content-Encoding": coding}
    )

    assert response.status_code == 415
    assert response.json()["code"] == "unsupported_content_encoding"


async def test_T12_a_sender_that_leaves_is_noticed():
    request = a_request([piece(b"x"), {"type": "http.disconnect"}])

    with pytest.raises(ClientDisconnect):
        await read_body(request, LIMIT)


async def test_T4_a_body_that_stops_is_408():
    request = a_request([piece(b"x"), 5.0, piece(b"y", more=False)])

    with pytest.raises(Exception, match="too slowly") as refused:
        await read_body(request, LIMIT, Pace(deadline_seconds=0.05))

    assert refused.value.status == 408


async def test_T4_a_body_that_drips_is_408_long_before_the_deadline():
    drops = [part for _ in range(100) for part in (piece(b"x"), 0.01)]
    pace = Pace(deadline_seconds=60, grace_seconds=0.05, minimum_bytes_per_second=1000)

    with pytest.raises(Exception, match="too slowly"):
        await read_body(a_request([*drops, piece(b"", more=False)]), LIMIT, pace)


async def test_T4_a_steady_body_is_408_at_its_deadline():
    drops = [part for _ in range(100) for part in (piece(b"x"), 0.01)]
    pace = Pace(deadline_seconds=0.1, grace_seconds=60)

    with pytest.raises(Exception, match="too slowly"):
        await read_body(a_request([*drops, piece(b"", more=False)]), LIMIT, pace)


async def test_a_body_at_the_minimum_rate_may_take_its_time():
    drops = [part for _ in range(20) for part in (piece(b"x" * 40), 0.005)]
    pace = Pace(deadline_seconds=60, grace_seconds=0.5, minimum_bytes_per_second=100)

    body = await read_body(a_request([*drops, piece(b"", more=False)]), LIMIT, pace)

    assert len(body) == 800
