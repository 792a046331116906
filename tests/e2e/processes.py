"""Real gateway and service processes on free loopback ports, for the end-to-end tests."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from deploy.procfile import model_file

ROOT = Path(__file__).parents[2]


def released(modality: str) -> Path:
    """The model file that the Procfile runs for a modality."""
    return model_file(modality, ROOT)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Service:
    """One vision service that can be killed and started again on the same port."""

    modality: str
    checkpoint: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.process = start(
            "vision_service",
            SERVICE_MODALITY=self.modality,
            SERVICE_CHECKPOINT=str(self.checkpoint),
            SERVICE_HOST="127.0.0.1",
            SERVICE_PORT=str(self.port),
        )

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=10)


def start(module: str, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_ready(url: str, *, seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx2.TransportError):
            if httpx2.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        assert time.monotonic() < deadline, f"not ready after {seconds} s"
        time.sleep(0.2)


def wait_seen(address: str, names: set[str], seconds: float = 300) -> None:
    """Wait until the gateway says that each of these services is ready."""
    deadline = time.monotonic() + seconds
    while True:
        states = httpx2.get(f"{address}/health", timeout=60).json()["modalities"]
        if all(states[name]["ready"] for name in names):
            return
        assert time.monotonic() < deadline, f"not ready after {seconds} s: {states}"
        time.sleep(0.1)


@contextlib.contextmanager
def running(service: Service, folder: Path, **settings: str) -> Iterator[str]:
    """Start service and gateway, wait until both are ready, yield the gateway's URL."""
    port = free_port()
    service.start()
    gateway = start(
        "gateway",
        GATEWAY_HOST="127.0.0.1",
        GATEWAY_PORT=str(port),
        GATEWAY_UPSTREAMS=json.dumps({service.modality: service.url}),
        GATEWAY_DATABASE_URL=f"sqlite+aiosqlite:///{folder / 'audit.db'}",
        **settings,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_ready(service.url)
        wait_ready(url)
        yield url
    finally:
        for process in (gateway, service.process):
            if process is not None:
                process.terminate()
        for process in (gateway, service.process):
            if process is not None:
                process.wait(timeout=30)
