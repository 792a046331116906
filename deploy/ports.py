"""Find out before anything starts whether every port is free."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from deploy.procfile import Process


def taken(processes: Iterable[Process]) -> tuple[Process, ...]:
    """Return the processes whose port somebody else listens on, or that two of ours share."""
    seen: set[tuple[str, int]] = set()
    result = []
    for process in processes:
        address = (process.host, process.port)
        if address in seen or not _is_free(address):
            result.append(process)
        seen.add(address)
    return tuple(result)


def explain(processes: Iterable[Process]) -> str:
    """Return the message for people: which ports, and how to choose others."""
    lines = [
        f"Port {process.port} ({process.name}) is in use. "
        f"Stop its owner, or set {process.port_variable}=<free port>."
        for process in processes
    ]
    return "\n".join(
        [*lines, "PORT=9000 moves all ports of MediFlow by 1000. Nothing was started."]
    )


def _is_free(address: tuple[str, int]) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are still fading away is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
    return True
