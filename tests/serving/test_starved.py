"""A body for which the server has no memory: answered, not reset, and the next one is served."""

import json
import re
import resource
import socket
import sys

import httpx2
import psutil
import pytest

from tests.serving.test_server import free_port, start, wait_until_up

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
MIB = 1024 * 1024


@pytest.fixture
def starved(monkeypatch):
    """A server that can take a megabyte or two, not more; yields its port and process id."""
    # Else each thread may set aside 64 MiB of addresses, which are within the limit already.
    monkeypatch.setenv("MALLOC_ARENA_MAX", "1")
    port = free_port()
    process = start(port)
    wait_until_up(port)
    limit = psutil.Process(process.pid).memory_info().vms + 2 * MIB
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    yield port, process.pid
    process.kill()
    process.communicate()


def read_all(connection):
    received = b""
    while piece := connection.recv(65536):
        received += piece
    return received


def test_F12_a_body_beyond_the_memory_is_a_503_that_its_sender_reads(starved):
    port, pid = starved
    head = f"POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: {30 * MIB}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + bytes(30 * MIB))
        answer = read_all(connection)

    top, _, body = answer.partition(b"\r\n\r\n")
    assert top.startswith(b"HTTP/1.1 503")
    assert b"retry-after: 5" in top.lower()
    assert json.loads(body)["code"] == "overloaded"
    resource.prlimit(pid, resource.RLIMIT_AS, UNLIMITED)
    assert httpx2.post(f"http://127.0.0.1:{port}/keep", content=b"x" * MIB).json() == {"bytes": MIB}


def test_F12_a_body_beyond_the_memory_behind_another_request_never_takes_its_answer(starved):
    port, pid = starved
    first = b"POST /watched?seconds=2 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx"
    second = f"POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: {30 * MIB}\r\n\r\n".encode()
    third = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(first + second + bytes(30 * MIB) + third)
        answers = read_all(connection)

    statuses = re.findall(rb"HTTP/1.1 (\d+)", answers)
    assert statuses in ([b"200"], [b"200", b"503"])  # dropped, or refused in its turn
    assert b'{"done":true}' in answers
    resource.prlimit(pid, resource.RLIMIT_AS, UNLIMITED)
    assert httpx2.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_F12_nothing_behind_a_body_beyond_the_memory_is_answered(starved):
    port, _ = starved
    head = f"POST /keep HTTP/1.1\r\nHost: x\r\nContent-Length: {30 * MIB}\r\n\r\n"
    behind = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n" * 3
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(head.encode() + bytes(30 * MIB) + behind)
        answers = read_all(connection)

    assert answers.startswith(b"HTTP/1.1 503")
    assert answers.count(b"HTTP/1.1 ") == 1
