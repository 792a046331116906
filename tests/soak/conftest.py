"""The system under load: started once for all short forms, and anew for each long one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.soak.system import System, running

#: No quota, as one caller sends everything; and time, as the machine does other things too.
OPEN = {
    "GATEWAY_REQUESTS_PER_MINUTE": "0",
    "GATEWAY_DEADLINE_SECONDS": "60",
    "SERVICE_DEADLINE_SECONDS": "60",
}


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system, shared by all short forms, with a waiting room that fills in seconds."""
    folder, room = tmp_path_factory.mktemp("system"), {"GATEWAY_MAX_WAITING": "16"}
    with running(folder, **OPEN, **room) as started:
        yield started


@pytest.fixture
def chest_system(tmp_path: Path) -> Iterator[System]:
    """The gateway and the chest X-ray alone, with the deadlines of the product."""
    with running(tmp_path, ("chest-xray",), GATEWAY_REQUESTS_PER_MINUTE="0") as started:
        yield started
