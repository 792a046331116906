"""The whole system of the Procfile on free ports: its processes, their memory, their logs."""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from deploy.procfile import GATEWAY, Process, read_procfile
from deploy.system import environment_for
from tests.e2e.processes import ROOT, free_port, wait_ready

#: Names of the processes by modality are the modality ids; the gateway is called so.
NAMES = ("chest-xray", "skin-lesion", "breast-ultrasound", "ecg", "symptoms", "heart-risk")


@dataclass(frozen=True, slots=True)
class Use:
    """What one process holds at a moment."""

    rss_bytes: int
    descriptors: int
    threads: int


@dataclass
class System:
    """Started processes by name; each can be killed and started again on its port."""

    folder: Path
    lines: Mapping[str, Process]
    environment: Mapping[str, str]
    checkpoints: Mapping[str, Path] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return self.url_of(GATEWAY)

    @property
    def port(self) -> int:
        return self.lines[GATEWAY].port

    def url_of(self, name: str) -> str:
        return f"http://127.0.0.1:{self.lines[name].port}"

    def start(self, name: str) -> None:
        line = self.lines[name]
        with self.log(name).open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *line.command[1:]],
                cwd=ROOT,
                env={**self.environment, **line.environment, **self._changes(name)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def kill(self, name: str) -> None:
        self.processes[name].kill()
        self.processes[name].wait(timeout=20)

    def wait_ready(self, *names: str, seconds: float = 600) -> None:
        for name in names or tuple(self.lines):
            wait_ready(self.url_of(name), seconds=seconds)

    def use(self, name: str) -> Use:
        process = psutil.Process(self.processes[name].pid)
        with process.oneshot():
            return Use(process.memory_info().rss, process.num_fds(), process.num_threads())

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(timeout=10)

    def _changes(self, name: str) -> dict[str, str]:
        """What this run has other than the Procfile: its records, and model files by name."""
        if name == GATEWAY:
            return {"GATEWAY_DATA_DIR": str(self.folder / "data")}
        checkpoint = self.checkpoints.get(name)
        return {"SERVICE_CHECKPOINT": str(checkpoint)} if checkpoint else {}


@contextlib.contextmanager
def running(
    folder: Path,
    names: tuple[str, ...] = NAMES,
    checkpoints: Mapping[str, Path] | None = None,
    **settings: str,
) -> Iterator[System]:
    """Start the gateway and these services, wait until all are ready, stop them at the end.

    `checkpoints` replace released models; `settings` are environment variables of all processes.
    """
    ports = {f"{name.upper().replace('-', '_')}_PORT": str(free_port()) for name in NAMES}
    ports["GATEWAY_PORT"] = str(free_port())
    lines = read_procfile((ROOT / "Procfile").read_text(), ports)
    chosen = tuple(line for line in lines if line.name in (GATEWAY, *names))
    environment = environment_for(chosen, {**os.environ, "OMP_NUM_THREADS": "1", **settings})
    environment["GATEWAY_INTERNAL_TOKEN"] = environment["SERVICE_INTERNAL_TOKEN"] = (
        secrets.token_urlsafe(32)
    )
    system = System(folder, {line.name: line for line in chosen}, environment, checkpoints or {})
    try:
        for name in system.lines:
            system.start(name)
        system.wait_ready()
        yield system
    finally:
        system.stop()
