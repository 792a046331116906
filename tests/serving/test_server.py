"""Real processes on real sockets."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
import pytest

ROOT = Path(__file__).parents[2]
APP = Path(__file__).with_name("server_app.py")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(port: int, way: str = "") -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, str(APP), str(port), way],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_until_up(port: int) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"http://127.0.0.1:{port}/livez").status_code == 200:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


@pytest.fixture
def running():
    port = free_port()
    process = start(port)
    wait_until_up(port)
    yield port, process
    if process.poll() is None:
        process.kill()
    process.communicate()


def talk(port: int, data: bytes, seconds: float = 5.0) -> tuple[bytes, float]:
    """Send bytes, read until the server closes; return what came and how long that took."""
    started = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(seconds)
        connection.sendall(data)
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received, time.monotonic() - started


def test_F8_sigterm_says_not_ready_finishes_what_runs_and_exits_with_zero(running):
    port, process = running
    head = b"GET /slow?seconds=2.5 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as caller,
        httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http,
    ):
        assert http.get("/readyz").status_code == 200
        caller.sendall(head)

        process.send_signal(signal.SIGTERM)
        while (draining := http.get("/readyz")).status_code == 200:
            continue
        answer = b"".join(iter(lambda: caller.recv(65536), b""))
    code = process.wait(30)

    assert (draining.status_code, draining.json()["reason"]) == (503, "draining")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"done": True}
    assert code == 0


def test_F8_requests_on_kept_connections_are_all_answered_through_a_stop(running):
    port, process = running
    statuses, kept = [], True
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        while process.poll() is None:
            try:
                answer = http.get("/livez")
            except httpx2.TransportError:
                assert not kept, "a request on a kept connection was lost"
                break
            statuses.append(answer.status_code)
            kept = answer.headers.get("connection") != "close"
            if len(statuses) == 20:
                process.terminate()

    assert len(statuses) > 20
    assert set(statuses) == {200}
    assert process.wait(10) == 0


def ask_until_refused(port: int, answers: list[bytes]) -> None:
    """Ask on a new connection each time, until none is made."""
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionError:
            return
        with connection:
            try:
                connection.sendall(b"GET /slow?seconds=0.01 HTTP/1.1\r\nHost: x\r\n\r\n")
                answers.append(connection.recv(65536)[:12])
            except OSError as error:
                answers.append(type(error).__name__.encode())


def test_F8_every_connection_that_was_made_is_answered_through_a_stop(running):
    port, process = running
    answers: list[bytes] = []
    callers = [threading.Thread(target=ask_until_refused, args=(port, answers)) for _ in range(32)]
    # Read, as it would otherwise be full of log lines.
    reader = threading.Thread(target=process.stderr.read)
    for thread in (*callers, reader):
        thread.start()
    while len(answers) < 50 and any(caller.is_alive() for caller in callers):
        callers[0].join(0.01)
    process.terminate()
    for thread in (*callers, reader):
        thread.join()

    assert len(answers) > 50
    assert set(answers) == {b"HTTP/1.1 200"}
    assert process.wait(10) == 0


def test_F8_a_stop_does_not_wait_long_for_connections_on_which_nothing_comes(running):
    port, process = running
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
    silent[0].sendall(b"GET /livez HTTP/1.1\r\nX-Half:")
    time.sleep(0.2)
    started = time.monotonic()
    process.terminate()

    assert process.wait(10) == 0
    assert time.monotonic() - started < 5
    for connection in silent:
        connection.close()


def test_what_start_up_made_is_not_looked_at_again_by_the_garbage_collector(running):
    port, _ = running
    deadline = time.monotonic() + 60
    objects = 0
    while objects == 0 and time.monotonic() < deadline:
        objects = httpx2.get(f"http://127.0.0.1:{port}/settled").json()["objects"]

    assert objects > 10_000


def test_C6_a_second_process_on_a_port_is_one_clear_line_and_disturbs_nobody(running):
    port, first = running

    second = start(port)
    _, errors = second.communicate(timeout=120)

    assert second.returncode == 98
    assert errors.strip() == (
        f"Port {port} on 127.0.0.1 is taken. Stop what uses it or choose another port."
    )
    assert first.poll() is None
    assert httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200


def test_C6_a_stop_while_the_process_still_loads_ends_it():
    port = free_port()
    loading = start(port, "load")
    wait_until_up(port)

    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        assert http.get("/livez").status_code == 200
        loading.send_signal(signal.SIGTERM)
        assert http.get("/readyz").status_code == 503
    assert loading.wait(20) == 0
    loading.communicate()


def test_an_app_that_cannot_start_gives_a_failing_exit_code():
    process = start(free_port(), "fail")

    process.communicate(timeout=120)

    assert process.returncode == 3


def test_a_process_that_must_not_serve_stops_with_the_code_it_was_given():
    process = start(free_port(), "fatal")

    process.communicate(timeout=120)

    assert process.returncode == 78


@pytest.mark.parametrize(
    "data", [b"", b"GET /livez HTTP/1.1\r\nHost: x\r\nX-Half:"], ids=["silent", "half_head"]
)
def test_T4_slow_heads_are_closed_in_time(running, data):
    port, _ = running

    received, seconds = talk(port, data)

    assert received == b""
    assert 0.5 < seconds < 3


def test_T4_a_head_of_one_byte_now_and_then_is_closed_in_time(running):
    port, _ = running
    started = time.monotonic()

    with socket.create_connection(("127.0.0.1", port)) as connection:
        with contextlib.suppress(ConnectionError):
            for byte in b"GET /livez HTTP/1.1\r\nX-Slow: " + b"x" * 50:
                connection.sendall(bytes([byte]))
                time.sleep(0.1)
        closed = time.monotonic() - started

    assert closed < 3


def test_T4_a_slow_head_behind_an_answer_is_closed_in_time(running):
    port, _ = running

    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.settimeout(5)
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        first = connection.recv(65536)
        connection.sendall(b"GET /livez HTTP/1.1\r\nX-Half:")
        started = time.monotonic()
        while connection.recv(65536):
            continue
        seconds = time.monotonic() - started

    assert first.startswith(b"HTTP/1.1 200")
    assert seconds < 3


def test_T4_an_idle_half_body_is_408(running):
    port, _ = running

    received, seconds = talk(port, b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx")

    assert received.startswith(b"HTTP/1.1 408")
    assert seconds < 3


def test_an_idle_connection_is_closed_after_the_keep_alive_time(running):
    port, _ = running

    received, seconds = talk(port, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")

    assert received.startswith(b"HTTP/1.1 200")
    assert 0.5 < seconds < 3


def test_a_connection_serves_one_request_after_the_other(running):
    port, _ = running

    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        sizes = [http.post("/read", content=b"x" * size).json()["bytes"] for size in (5, 70_000)]

    assert sizes == [5, 70_000]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\r\nX-Big: " + b"x" * 40_000 + b"\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\n",
        b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 500 + b"\r\n",
        b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/1.1\r\nX-Endless: " + b"x" * 200_000,
    ],
    ids=["large", "many", "many_short", "long_path", "endless"],
)
def test_T15_a_head_that_is_too_large_is_431(running, head):
    port, _ = running

    received, _ = talk(port, head)

    assert received.startswith(b"HTTP/1.1 431")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "head_too_large"


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        b"GET /livez HTTP/9.9\r\n\r\n",
        b"POST /read HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /read HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ],
    ids=["words", "version", "negative", "two_lengths", "tls"],
)
def test_T3_what_is_no_request_is_a_400_problem_and_the_next_client_is_served(running, data):
    port, _ = running

    received, _ = talk(port, data)

    assert received.startswith(b"HTTP/1.1 400")
    assert json.loads(received.partition(b"\r\n\r\n")[2])["code"] == "malformed_request"
    assert httpx2.get(f"http://127.0.0.1:{port}/livez").status_code == 200


def test_T4_the_probe_answers_while_two_hundred_slow_sockets_hang(running):
    port, _ = running
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(200)]
    for connection in sockets:
        connection.sendall(b"GET /livez HTTP/1.1\r\nX-Half:")

    started = time.monotonic()
    answer = httpx2.get(f"http://127.0.0.1:{port}/livez", timeout=30)
    seconds = time.monotonic() - started
    for connection in sockets:
        connection.close()

    assert answer.status_code == 200
    # Generous: the machine may be busy. Were the server blocked, it would take forever.
    assert seconds < 5.0
