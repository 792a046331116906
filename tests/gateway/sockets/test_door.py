"""A full lane refuses by the head alone, and what it says and writes is what the long way does."""

import asyncio
import json
import time

import pytest
from sqlalchemy import select

from gateway.database import Database, sqlite_url
from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.sockets.conftest import Gateway, wait_until
from tests.gateway.sockets.wire import Wire, ask, head

ONE_PLACE = {
    "GATEWAY_MAX_CONCURRENCY": "1",
    "GATEWAY_MAX_WAITING": "0",
    "GATEWAY_DEADLINE_SECONDS": "60",
}
#: These differ from answer to answer, or only the server's own answers have them.
VARYING = {"date", "x-request-id", "retry-after"}


@pytest.fixture
def full(tmp_path, faulty, healthy):
    """A gateway whose only place for chest films is taken."""
    gateway = Gateway(tmp_path, [faulty, healthy], **ONE_PLACE)
    faulty.mode = "hang"
    asked = faulty.asked
    with Wire(gateway.port) as busy:
        busy.send(head(len(JPEG_BYTES)) + JPEG_BYTES)
        assert wait_until(lambda: faulty.asked > asked)
        yield gateway
    faulty.mode = "well"
    assert gateway.stop() == 0


def headers_of(answer):
    lines = answer.head.decode().lower().split("\r\n")[1:]
    return dict(line.split(": ", 1) for line in lines)


def entries(folder):
    async def work():
        database = Database(sqlite_url(folder / "data"))
        async with database.reading() as connection:
            rows = await connection.execute(select(AUDIT_RECORDS.c.body))
            found = [json.loads(row.body)["entry"] for row in rows]
        await database.close()
        return found

    return asyncio.run(work())


def test_F6_a_full_lane_refuses_before_a_byte_of_the_body(full, tmp_path):
    started = time.perf_counter()
    with Wire(full.port) as wire:
        refused = wire.send(head(1_000_000, "X-Request-ID: at-the-door")).receive()
        elapsed = time.perf_counter() - started
        assert wire.closed_within(5)

    assert refused.status == 503 and elapsed < 2
    assert json.loads(refused.body)["code"] == "overloaded"
    assert json.loads(refused.body)["request_id"] == "at-the-door"
    headers = headers_of(refused)
    assert int(headers["retry-after"]) >= 1
    assert (headers["connection"], headers["x-request-id"]) == ("close", "at-the-door")
    entry = next(one for one in entries(tmp_path) if one["request_id"] == "at-the-door")
    assert (entry["status"], entry["error_code"], entry["caller"]) == (503, "overloaded", "local")
    lines = [json.loads(line) for line in full.log.splitlines() if "at-the-door" in line]
    assert [(one["status"], one["code"], one["modality"]) for one in lines] == [
        (503, "overloaded", "chest-xray")
    ]


def test_F6_a_refusal_at_the_door_looks_like_one_of_the_long_way(full, tmp_path):
    short = ask(full.port, "X-Request-ID: short")
    long = ask(full.port, "X-Request-ID: long", "Origin: http://elsewhere")

    assert (short.status, long.status) == (503, 503)
    assert headers_of(short).keys() - VARYING == headers_of(long).keys() - VARYING
    assert {name: value for name, value in headers_of(short).items() if name not in VARYING} == {
        name: value
        for name, value in headers_of(long).items()
        if name not in VARYING | {"content-length"}
    } | {"content-length": headers_of(short)["content-length"]}
    by_id = {one["request_id"]: one for one in entries(tmp_path)}
    assert by_id["short"] | {"time": 0, "request_id": 0} == by_id["long"] | {
        "time": 0,
        "request_id": 0,
    }


def test_F6_who_goes_on_sending_still_reads_the_refusal_and_others_are_served(full):
    refused = ask(full.port, payload=JPEG_BYTES + bytes(3_000_000))
    other = ask(full.port, path="/v1/skin-lesion/predictions")

    assert (refused.status, other.status) == (503, 200)


def test_F6_what_comes_after_a_refused_request_on_its_connection_is_not_answered(full):
    smuggled = b"GET /livez HTTP/1.1\r\nHost: gateway\r\n\r\n"
    with Wire(full.port) as wire:
        wire.send(head(len(JPEG_BYTES)) + JPEG_BYTES + smuggled)
        assert wire.receive().status == 503
        wire.socket.settimeout(5)
        assert wire.socket.recv(1000) == b""
