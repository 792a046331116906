"""Start the whole local system under supervisord, and stop it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy.ports import explain, taken
from deploy.procfile import GATEWAY, Process, read_procfile, upstreams
from deploy.supervision import STOP_SECONDS, configuration


class CannotStart(RuntimeError):
    """The system was not started; the message says what to do."""


def load(root: Path, environment: Mapping[str, str]) -> tuple[Process, ...]:
    """Return the processes of the Procfile in `root`; raise CannotStart when a port is taken."""
    processes = read_procfile((root / "Procfile").read_text(), environment)
    if blocked := taken(processes):
        raise CannotStart(explain(blocked))
    return processes


def gateway_url(processes: tuple[Process, ...]) -> str:
    """Return the base URL that people and clients use."""
    gateway = next(process for process in processes if process.name == GATEWAY)
    return f"http://{gateway.host}:{gateway.port}"


def command(processes: tuple[Process, ...], root: Path, *, quiet: bool) -> list[str]:
    """Write supervisord's configuration and return the command that runs it in the foreground."""
    folder = root / ".local" / gateway_url(processes).rpartition(":")[2]
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "supervisord.conf"
    file.write_text(configuration(processes, root, folder, quiet=quiet))
    return [sys.executable, "-m", "supervisor.supervisord", "--configuration", str(file)]


def environment_for(
    processes: tuple[Process, ...], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that all processes share.

    The gateway's upstreams come from the Procfile. The token between gateway and services is
    made anew at each start, lives in memory only, and can be set from outside.
    """
    token = environment.get("GATEWAY_INTERNAL_TOKEN") or secrets.token_urlsafe(32)
    shared = {
        "GATEWAY_UPSTREAMS": json.dumps(upstreams(processes)),
        "GATEWAY_INTERNAL_TOKEN": token,
        "SERVICE_INTERNAL_TOKEN": token,
        "PYTHONUNBUFFERED": "1",
    }
    return {**shared, **environment}


@contextmanager
def running(processes: tuple[Process, ...], root: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the system in the background with its output in files; stop all of it at the end."""
    supervisor = subprocess.Popen(
        command(processes, root, quiet=True),
        env=environment_for(processes, os.environ),
        cwd=root,
    )
    try:
        yield supervisor
    finally:
        supervisor.terminate()
        supervisor.wait(timeout=2 * STOP_SECONDS)
