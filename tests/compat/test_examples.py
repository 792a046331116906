"""The examples of the earlier clients run as they are, over a socket (DEV-09: but for the port)."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from importlib.util import find_spec

import pytest
import pytest_asyncio
import uvicorn

from tests.compat.answers import FOLDER
from tests.gateway.fakes import JPEG_BYTES, PNG_BYTES

EXAMPLES = FOLDER / "examples"
FILES = {
    "skin_lesion.jpg": JPEG_BYTES,
    "ecg_image.png": PNG_BYTES,
    "breast_ultrasound.png": PNG_BYTES,
    "chest_xray.jpeg": JPEG_BYTES,
    "chest_xray.jpg": JPEG_BYTES,
    "xray.jpg": JPEG_BYTES,
}
#: What each cURL example must find in its answer.
EXPECTED = {
    "about": {"name": "MediFlow"},
    "health": {"status": "healthy"},
    "symptoms": {"success": True},
    "analyze-skin": {"success": True, "severity": "low"},
    "analyze-heart": {"success": True, "severity": "low"},
    "analyze-xray": {"success": True, "severity": "low"},
    "predict-disease": {"success": True},
    "predict-heart": {"success": True, "severity": "high"},
    "vision-analyze": {"prediction": "NORMAL", "confidence": 0.96},
    "predict": {"status": "success", "confidence": 96.0, "patient_id": None},
    "predict-patient": {"status": "success", "patient_id": "PAT-12345"},
    "predict-tta": {"status": "success", "prediction": "NORMAL"},
    "predict-simple": {"label": "NORMAL", "score": 0.96},
    "model-info": {"model_name": "EfficientNet-B0"},
}
PRINTED = {
    "analyze-skin": ["Prediction: Melanocytic Nevi", "Confidence: 89.0%", "Severity: low"],
    "analyze-breast": ["'birads': 'BI-RADS 4A (estimate)'"],
    "predict": ["Prediction: NORMAL", "Confidence: 96.00%"],
}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def address(shared):
    """The shared gateway behind a real socket."""
    client, _ = shared
    config = uvicorn.Config(client.app, lifespan="off", log_config=None, ws="none")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        task = asyncio.create_task(server.serve(sockets=[listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await task


@pytest.fixture
def desk(tmp_path):
    """A folder with the files that the examples name."""
    for name, payload in FILES.items():
        (tmp_path / name).write_bytes(payload)
    return tmp_path


async def run(example, address, desk, *command):
    """Run one example in the folder; return what it printed."""
    script = desk / example.name
    script.write_text(example.read_text().replace("http://localhost:8000", address))
    process = await asyncio.create_subprocess_exec(
        *command,
        script,
        cwd=desk,
        env=os.environ | {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        printed, complaints = await process.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    assert process.returncode == 0, complaints.decode()
    return printed.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("name", EXPECTED)
async def test_DEV_09_a_curl_example_runs_unchanged_but_for_the_port(services, address, desk, name):
    answer = json.loads(await run(EXAMPLES / f"{name}.sh", address, desk, "sh"))

    assert EXPECTED[name].items() <= answer.items()


@pytest.mark.skipif(find_spec("requests") is None, reason="requests is not installed")
@pytest.mark.parametrize("name", PRINTED)
async def test_DEV_09_a_python_example_runs_unchanged_but_for_the_port(
    services, address, desk, name
):
    printed = await run(EXAMPLES / f"{name}.py", address, desk, sys.executable)

    assert [line for line in PRINTED[name] if line not in printed] == []


def test_every_example_is_run():
    named = {f"{name}.sh" for name in EXPECTED} | {f"{name}.py" for name in PRINTED}

    assert {path.name for path in EXAMPLES.iterdir()} == named
