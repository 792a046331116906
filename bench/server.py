"""Start a server as a process of its own, wait until it answers, stop all of it."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.attempts import NotMeasured
from bench.load import NextRequest, once, run

ROOT = Path(__file__).parent.parent
_START_SECONDS = 120.0
_STOP_SECONDS = 30.0
_MIB = 2**20


class DidNotStart(NotMeasured):
    """A server gave no good answer in time; the message ends with the end of its output."""


@dataclass(frozen=True, slots=True)
class Server:
    """One way to serve the film: how it starts, how it is asked, and what was set."""

    name: str
    settings: str
    commands: tuple[tuple[str, ...], ...]
    port: int
    posts: Callable[[bytes], NextRequest]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        return "127.0.0.1", self.port


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB of a process and its children: resident, and with shared pages counted in parts."""

    resident: float
    proportional: float


@contextlib.contextmanager
def running(server: Server, payload: bytes, logs: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the server until the block ends; it has answered the film once before it begins.

    Raises DidNotStart.
    """
    log = logs / f"{server.port}.log"
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command in server.commands:
            processes.append(start(command, server.environment, log))
        _wait(server, payload, processes, log)
        yield processes
    finally:
        for process in processes:
            stop(process)


def memory_of(process: subprocess.Popen[bytes]) -> Memory:
    """Return the memory of a process together with its children."""
    parent = psutil.Process(process.pid)
    infos = [one.memory_full_info() for one in [parent, *parent.children(recursive=True)]]
    return Memory(
        sum(info.rss for info in infos) / _MIB,
        sum(getattr(info, "pss", 0) for info in infos) / _MIB,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything that it started; it leads a group of its own."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(
    command: tuple[str, ...], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a process that leads a group of its own, its output appended to a file."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(
    server: Server, payload: bytes, processes: list[subprocess.Popen[bytes]], log: Path
) -> None:
    until = time.monotonic() + _START_SECONDS
    request = server.posts(payload)
    while time.monotonic() < until and all(process.poll() is None for process in processes):
        if run(once(server.address, request)).status == 200:
            return
        time.sleep(0.1)
    raise DidNotStart(f"did not start\n{log.read_text(errors='replace')[-2000:]}")
