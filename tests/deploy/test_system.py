"""The runner with two small real servers in place of gateway and service."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.deploy.net import free_port

ROOT = Path(__file__).parents[2]
SERVER = """
import http.server, os, sys
print("token", os.environ["GATEWAY_INTERNAL_TOKEN"] == os.environ["SERVICE_INTERNAL_TOKEN"])
print("upstreams", os.environ["GATEWAY_UPSTREAMS"], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler
).serve_forever()
"""


@pytest.fixture
def ports(tmp_path: Path) -> tuple[int, int]:
    gateway, ecg = free_port(), free_port()
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "Procfile").write_text(
        f"gateway: GATEWAY_HOST=127.0.0.1 GATEWAY_PORT={gateway} python server.py {gateway}\n"
        f"ecg: SERVICE_MODALITY=ecg SERVICE_HOST=127.0.0.1 SERVICE_PORT={ecg} "
        f"python server.py {ecg}\n"
    )
    return gateway, ecg


@contextlib.contextmanager
def up(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "deploy", "up", "--directory", str(folder)]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def wait_for(port: int, *, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/Procfile", timeout=2).close()
        except OSError:
            assert time.monotonic() < deadline, f"nothing answers on {port}"
            time.sleep(0.05)
        else:
            return


def child_on(supervisor: int, port: int) -> psutil.Process:
    children = psutil.Process(supervisor).children(recursive=True)
    return next(child for child in children if child.cmdline()[-1:] == [str(port)])


def test_a_service_that_dies_is_started_again(tmp_path, ports):
    with up(tmp_path) as system:
        wait_for(ports[1])
        killed = child_on(system.pid, ports[1])

        killed.kill()
        psutil.wait_procs([killed], timeout=10)

        wait_for(ports[1])
        assert child_on(system.pid, ports[1]).pid != killed.pid


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_stops_every_process_and_frees_the_ports(tmp_path, ports, end):
    with up(tmp_path) as system:
        for port in ports:
            wait_for(port)
        children = psutil.Process(system.pid).children(recursive=True)

        system.send_signal(end)
        system.communicate(timeout=60)

        assert system.returncode == 0
        assert not [child for child in children if child.is_running()]


def test_the_terminal_shows_what_each_process_was_given(tmp_path, ports):
    expected = {
        "ecg               | token True\n",
        f'ecg               | upstreams {{"ecg": "http://127.0.0.1:{ports[1]}"}}\n',
    }

    with up(tmp_path) as system:
        for line in iter(system.stdout.readline, ""):
            expected.discard(line)
            if not expected:
                break

    assert not expected


def test_a_taken_port_is_one_message_before_anything_starts(tmp_path, ports):
    with socket.create_server(("127.0.0.1", ports[1])):
        command = [sys.executable, "-m", "deploy", "up", "--directory", str(tmp_path)]
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert result.returncode == 1
    assert f"Port {ports[1]} (ecg) is in use" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / ".local").exists()


def test_the_internal_token_is_not_written_to_disk(tmp_path, ports):
    environment = {**os.environ, "GATEWAY_INTERNAL_TOKEN": "canary-token-of-this-test"}
    environment["SERVICE_INTERNAL_TOKEN"] = environment["GATEWAY_INTERNAL_TOKEN"]
    command = [sys.executable, "-m", "deploy", "up", "--directory", str(tmp_path)]

    system = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(ports[0])
    finally:
        system.terminate()
        system.wait(timeout=60)

    written = [path.read_text() for path in tmp_path.rglob(".local/**/*") if path.is_file()]
    assert written
    assert not any("canary-token" in text for text in written)
