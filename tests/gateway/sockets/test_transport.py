import contextlib
import io
import json
import socket
import struct
import time

import pytest

from contracts.registry import get_modality
from tests.cpu_time import cpu_seconds
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.sockets.wire import URL, Wire, ask, head

MAX_BYTES = get_modality("chest-xray").limits.max_bytes
MB = 1024 * 1024
#: /livez may take this long; generous, as the machine that tests may be busy with other things.
HEALTH_MS = 5000


@pytest.fixture(autouse=True)
def _still_well(gateway):
    """After each test a good request is answered."""
    yield
    assert ask(gateway.port).status == 200


def test_T1_a_declared_oversize_is_refused_before_the_body(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(MAX_BYTES + 1)).receive()

        assert answer.status == 413
        assert b"connection: close" in answer.head.lower()
        assert json.loads(answer.body)["code"] == "payload_too_large"
        assert wire.closed_within(5)


def test_T1_a_client_that_goes_on_sending_still_reads_the_refusal(gateway):
    with Wire(gateway.port) as wire:
        wire.send(head(MAX_BYTES + 1)).send(b"x" * (8 * MB))

        assert wire.receive().status == 413


def test_T2_a_chunked_oversize_is_refused_at_the_limit_and_memory_stays_flat(gateway):
    before = gateway.stats.memory_info().rss
    piece = b"100000\r\n" + b"\xff" * MB + b"\r\n"
    most = before
    with Wire(gateway.port) as wire:
        wire.send(head(None, "Transfer-Encoding: chunked"))
        for number in range(300):
            wire.send(piece)
            if number % 8 == 0:
                most = max(most, gateway.stats.memory_info().rss)
            wire.socket.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionResetError):
                if wire.socket.recv(1, socket.MSG_PEEK):
                    break
            wire.socket.setblocking(True)
        wire.socket.setblocking(True)
        answer = wire.receive()

    assert answer.status == 413
    assert number < 60
    assert most - before < MAX_BYTES + 16 * MB


LIES = {
    "doubled and different": ["Content-Length: 3", "Content-Length: 9"],
    "with transfer encoding": ["Content-Length: 3", "Transfer-Encoding: chunked"],
    "negative": ["Content-Length: -1"],
    "no number": ["Content-Length: ten"],
    "signed": ["Content-Length: +5"],
    "huge": ["Content-Length: " + "9" * 40],
}


@pytest.mark.parametrize("lines", LIES.values(), ids=LIES.keys())
def test_T3_a_lying_length_is_refused_and_poisons_nothing(gateway, lines):
    with Wire(gateway.port) as wire:
        smuggled = b"POST /canary HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
        answer = wire.send(head(None, *lines) + smuggled).receive()

        assert answer.status is None or 400 <= answer.status < 500
        assert wire.closed_within(10)


def test_T3_a_body_that_is_shorter_than_declared_is_given_up(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(1000) + JPEG_BYTES).receive()

        assert answer.status == 408
        assert wire.closed_within(5)


SHAPES = {
    "silent": (b"", b""),
    "half a head": (head(100)[:40], b""),
    "a byte of head a second": (head(100)[:10], b"x"),
    "half a body": (head(1000) + JPEG_BYTES, b""),
    "a byte of body a second": (head(1000) + JPEG_BYTES, b"x"),
}


def test_T4_slow_clients_of_every_shape_are_gone_in_time_and_disturb_nobody(gateway):
    with contextlib.ExitStack() as stack:
        wires = []
        for start, drip in SHAPES.values():
            for _ in range(40):
                wire = stack.enter_context(Wire(gateway.port))
                wire.send(start)
                wires.append((wire, drip))
        opened = time.monotonic()
        slowest = 0.0
        for _ in range(10):
            slowest = max(slowest, gateway.health_ms())
            assert ask(gateway.port).status == 200
            for wire, drip in wires:
                if drip:
                    wire.send(drip)
            time.sleep(1)
        end = opened + 20
        late = [
            wire for wire, _ in wires if not wire.closed_within(max(0.1, end - time.monotonic()))
        ]

    assert late == []
    assert slowest < HEALTH_MS


@pytest.mark.parametrize(("size", "count"), [(1, 300_000), (6, 500_000)])
def test_T5_tiny_chunks_cost_little(gateway, size, count):
    before = gateway.stats
    cpu, memory = sum(before.cpu_times()[:2]), before.memory_info().rss
    chunk = f"{size:x}\r\n".encode() + b"\xff" * size + b"\r\n"
    with Wire(gateway.port) as wire:
        wire.send(head(None, "Transfer-Encoding: chunked"))
        answer = wire.send(chunk * count + b"0\r\n\r\n").receive(timeout=60)

    spent = sum(gateway.stats.cpu_times()[:2]) - cpu
    lines = cpu_seconds(lambda: [bytes(line) for line in io.BytesIO(chunk * count)])
    assert answer.status in (400, 408, 415)
    assert spent < max(2, 7 * lines)  # seconds, or on a slow machine as many turns of a loop
    assert gateway.stats.memory_info().rss - memory < 32 * MB


def test_T8_a_million_urlencoded_fields_are_415_unread(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(
            head(4_000_000, media_type="application/x-www-form-urlencoded")
        ).receive()

    assert answer.status == 415


def test_T11_an_encoded_body_is_415(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(len(JPEG_BYTES), "Content-Encoding: gzip") + JPEG_BYTES).receive()

    assert answer.status == 415


def test_T12_resets_during_the_upload_leave_nothing_behind(gateway):
    ask(gateway.port)
    descriptors, lines = gateway.stats.num_fds(), gateway.log.count("\n")
    for _ in range(200):
        with Wire(gateway.port) as wire:
            wire.send(head(100_000) + JPEG_BYTES)
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    deadline = time.monotonic() + 20
    while gateway.stats.num_fds() > descriptors + 3 and time.monotonic() < deadline:
        time.sleep(0.1)

    fresh = "\n".join(gateway.log.splitlines()[lines:])
    assert gateway.stats.num_fds() <= descriptors + 3
    assert "Traceback" not in fresh
    assert '"level": "error"' not in fresh


def test_T15_an_unknown_method_is_405(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(0, method="PURGE")).receive()

    assert answer.status in (400, 405)


@pytest.mark.parametrize(
    "lines",
    [["X-Long: " + "x" * 65536], [f"X-{number}: y" for number in range(10_000)]],
    ids=["64 KB header", "10,000 headers"],
)
def test_T15_an_oversized_head_is_431(gateway, lines):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(0, *lines)).receive()

        assert answer.status in (400, 431)
        assert wire.closed_within(5)


def test_a_request_that_is_no_http_is_400(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(b"\x16\x03\x01 this is TLS\r\n\r\n").receive()

    assert answer.status in (None, 400)


def test_one_connection_carries_many_uploads(gateway):
    with Wire(gateway.port) as wire:
        for _ in range(5):
            answer = wire.send(head(len(JPEG_BYTES)) + JPEG_BYTES).receive()
            assert answer.status == 200


def test_a_client_that_waits_for_100_continue_is_told_no_at_once(gateway):
    with Wire(gateway.port) as wire:
        answer = wire.send(head(MAX_BYTES + 1, "Expect: 100-continue", path=URL)).receive()

    assert answer.status == 413
