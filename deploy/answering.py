"""Which processes of the Procfile run, which are ready, and whose ports are somebody else's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException

from deploy.finding import Finding
from deploy.ports import taken
from deploy.procfile import Process

TIMEOUT_SECONDS = 3.0
#: Reasons that a process gives, in words, with what to do.
_WHY = {
    "model_missing": ("It has no model file.", "See the line of its model."),
    "model_refused": ("It refuses its model file.", "See the line of its model, and its log."),
    "quality_control_failed": (
        "Its golden cases give other numbers than at release.",
        "Restart it; if that stays so, take the model file from git again.",
    ),
    "loading": ("It is still loading.", "Wait, then look again."),
    "draining": ("It is being stopped.", ""),
}


def examine_processes(processes: tuple[Process, ...]) -> Iterator[Finding]:
    """Look at the port of each process."""
    used = taken(processes)
    if not used:
        ports = ", ".join(str(process.port) for process in processes)
        yield Finding(
            "ports",
            "ok",
            f"{ports} are free: nothing runs on them.",
            "make up; or, if it was started with PORT=…, ask with the same PORT.",
        )
        return
    for process in processes:
        if process in used:
            yield _examine(process)
        else:
            yield Finding(
                process.name,
                "fault",
                f"Nobody listens on port {process.port}, while other processes run.",
                "Its last lines in the terminal of `make up` say why it stopped.",
            )


def _examine(process: Process) -> Finding:
    """Ask the one who has the port."""
    answer = _readiness(process)
    if answer is None:
        return Finding(
            process.name,
            "fault",
            f"Port {process.port} is in use by another program, or its owner does not answer.",
            f"Stop its owner, set {process.port_variable}=<free port>, or move all with PORT=9000.",
        )
    reason = answer.get("reason")
    if answer.get("status") == "ready":
        return Finding(process.name, "ok", f"ready on port {process.port}")
    message, remedy = _WHY.get(str(reason), (f"It says: {reason}.", "Its log says more."))
    return Finding(
        process.name,
        "note" if reason == "model_missing" else "fault",
        f"not ready on port {process.port}. {message}",
        remedy,
    )


def _readiness(process: Process) -> dict[str, object] | None:
    """What `/readyz` says, None where it is none of ours."""
    connection = HTTPConnection(process.host, process.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/readyz")
        body = json.loads(connection.getresponse().read(4096))
    except (OSError, HTTPException, ValueError):
        return None
    finally:
        connection.close()
    return body if isinstance(body, dict) and "status" in body else None
