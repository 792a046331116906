"""The system behind the page: real processes with the released models, started once for all."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.processes import free_port, released, start, wait_ready, wait_seen

IMAGES = ("chest-xray", "skin-lesion", "breast-ultrasound", "ecg")
TABLES = ("symptoms", "heart-risk")


class System:
    """One process per modality and an open gateway, from the first use until `stop`."""

    def __init__(self) -> None:
        self.address: str | None = None
        self.services: dict[str, str] = {}
        self._running = contextlib.ExitStack()

    def start(self, folder: Path) -> None:
        """Start all and wait."""
        for modality in (*IMAGES, *TABLES):
            port = free_port()
            process = start(
                "tabular_service" if modality in TABLES else "vision_service",
                SERVICE_MODALITY=modality,
                SERVICE_CHECKPOINT=str(released(modality)),
                SERVICE_HOST="127.0.0.1",
                SERVICE_PORT=str(port),
            )
            self._running.callback(stop, process)
            self.services[modality] = f"http://127.0.0.1:{port}"
        for address in self.services.values():
            wait_ready(address, seconds=600)
        self.address = self._running.enter_context(gateway(self.services, folder))

    def stop(self) -> None:
        """End all processes; nothing when none runs."""
        self._running.close()
        self.services.clear()
        self.address = None


@contextlib.contextmanager
def gateway(addresses: dict[str, str], folder: Path, down: str | None = None) -> Iterator[str]:
    """A gateway before these services whose data lie in `folder`; yields its address.

    It has seen that every service but `down` is ready.
    """
    port = free_port()
    process = start(
        "gateway",
        GATEWAY_PORT=str(port),
        GATEWAY_UPSTREAMS=json.dumps(addresses),
        GATEWAY_DATA_DIR=str(folder),
        GATEWAY_READINESS_POLL_SECONDS="0.2",
        GATEWAY_DEADLINE_SECONDS="100",
    )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_ready(address)
        wait_seen(address, set(addresses) - {down})
        yield address
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(timeout=60)
