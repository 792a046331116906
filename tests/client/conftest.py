"""One real system for the tests of the client: two released models, a tiny ECG, a dead service."""

import json
import os

import pytest

from tests.e2e.processes import ROOT, free_port, released, start, wait_ready, wait_seen

EXAMPLES = ROOT / "examples"
FILM = EXAMPLES / "chest-xray" / "person418_virus_852.jpeg"
SKIN = EXAMPLES / "skin-lesion" / "ISIC_0024332.jpg"
RECORD = EXAMPLES / "ecg" / "00492_lr.hea"
SYMPTOMS = EXAMPLES / "symptoms" / "chills-and-fever.json"
FACTORS = EXAMPLES / "heart-risk" / "man-58.json"
RELEASED = {
    "chest-xray": ("vision_service", released("chest-xray")),
    "symptoms": ("tabular_service", released("symptoms")),
}


@pytest.fixture(scope="session")
def address(tmp_path_factory, tiny_checkpoint_path):
    """The gateway's address; nobody listens where it looks for heart risk."""
    models = RELEASED | {"ecg": ("vision_service", tiny_checkpoint_path("ecg"))}
    ports = {name: free_port() for name in (*models, "heart-risk")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    processes = [
        start(
            module,
            SERVICE_MODALITY=name,
            SERVICE_CHECKPOINT=str(file),
            SERVICE_HOST="127.0.0.1",
            SERVICE_PORT=str(ports[name]),
            SERVICE_BACKEND="auto" if module == "tabular_service" else "torch",  # starts sooner
        )
        for name, (module, file) in models.items()
    ]
    port = free_port()
    processes.append(
        start(
            "gateway",
            GATEWAY_PORT=str(port),
            GATEWAY_UPSTREAMS=json.dumps(urls),
            GATEWAY_DATA_DIR=str(tmp_path_factory.mktemp("data")),
            GATEWAY_DEADLINE_SECONDS="60",
            GATEWAY_READINESS_POLL_SECONDS="0.2",
        )
    )
    try:
        for url in (*(urls[name] for name in models), f"http://127.0.0.1:{port}"):
            wait_ready(url, seconds=600)
        wait_seen(f"http://127.0.0.1:{port}", set(models))
        yield f"http://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)


@pytest.fixture
def surroundings(address):
    """The variables of a process that asks this system, and has no key."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIFLOW_")}
    return kept | {"MEDIFLOW_URL": address}
