"""A real gateway process in front of one service that misbehaves and one that never does."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import psutil
import pytest

from tests.gateway.sockets.upstream import Upstream

FAST = {
    "GATEWAY_DEADLINE_SECONDS": "2",
    "GATEWAY_UPLOAD_SECONDS": "8",
    "GATEWAY_UPLOAD_GRACE_SECONDS": "2",
    "GATEWAY_BREAKER_PROBE_SECONDS": "3",
    "GATEWAY_DRAIN_SECONDS": "0.2",
    "GATEWAY_READINESS_POLL_SECONDS": "0.2",
}


def wait_until(condition, seconds=20):
    """Wait for a condition; return whether it came true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


class Gateway:
    """A gateway process and what it wrote to its log; `prefix` are words before its command."""

    def __init__(self, folder, upstreams, *, prefix=(), **environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log_file = folder / "gateway.log"
        ours = {
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_DATA_DIR": str(folder / "data"),
            "GATEWAY_UPSTREAMS": json.dumps({one.modality: one.url for one in upstreams}),
        }
        clean = {name: value for name, value in os.environ.items() if "GATEWAY_" not in name}
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-m", "gateway"],
                env=clean | FAST | ours | environment,
                stdout=log,
                stderr=log,
            )
        self._wait()

    @property
    def log(self):
        return self.log_file.read_text()

    @property
    def stats(self):
        return psutil.Process(self.process.pid)

    def health_ms(self):
        """Milliseconds that /livez takes now."""
        started = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=30) as answer:
            assert answer.status == 200
        return (time.perf_counter() - started) * 1000

    def stop(self):
        """End it in order; return the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def _wait(self):
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log
            try:
                self.health_ms()
                return
            except OSError:
                time.sleep(0.1)
        pytest.fail(f"the gateway did not start:\n{self.log}")


@pytest.fixture(scope="session")
def faulty():
    with Upstream("chest-xray") as upstream:
        yield upstream


@pytest.fixture(scope="session")
def healthy():
    with Upstream("skin-lesion") as upstream:
        yield upstream


@pytest.fixture(scope="session")
def shared_gateway(tmp_path_factory, faulty, healthy):
    gateway = Gateway(tmp_path_factory.mktemp("gateway"), [faulty, healthy])
    yield gateway
    gateway.stop()


@pytest.fixture
def gateway(shared_gateway, faulty):
    """The shared process, with both services well and the breaker closed."""
    faulty.mode = "well"
    yield shared_gateway
    faulty.mode = "well"
    assert shared_gateway.process.poll() is None, shared_gateway.log


@pytest.fixture
def own_gateway(tmp_path, faulty, healthy):
    """A process for a test that stops it."""
    faulty.mode = "well"
    gateway = Gateway(tmp_path, [faulty, healthy])
    yield gateway
    gateway.stop()
