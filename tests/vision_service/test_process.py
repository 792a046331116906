"""The service as a real process on a real socket, and the one-shot command."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from contracts.schemas import Prediction
from tests.e2e.processes import wait_ready

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(**environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "vision_service"],
        cwd=ROOT,
        env=os.environ | environment,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def service(tiny_checkpoint_path):
    port = free_port()
    process = start(
        SERVICE_MODALITY="chest-xray",
        SERVICE_CHECKPOINT=str(tiny_checkpoint_path("chest-xray")),
        SERVICE_PORT=str(port),
        SERVICE_MAX_QUEUE="16",
        SERVICE_DEADLINE_SECONDS="60",
    )
    base = f"http://127.0.0.1:{port}"
    wait_ready(base, seconds=600)
    yield base
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert all(json.loads(line) for line in errors.splitlines())


def test_the_service_answers_with_the_compiled_form(service, png_bytes):
    prediction = Prediction.model_validate_json(
        httpx2.post(f"{service}/predict", content=png_bytes, timeout=30).text
    )

    assert prediction.probabilities
    assert httpx2.get(f"{service}/model").json()["backend"] == "onnxruntime"


async def test_F15_the_probe_answers_while_the_service_is_busy(service, noise):
    waits, payload = [], noise(0, 1200)
    async with httpx2.AsyncClient(base_url=service, timeout=120) as http:
        work = [asyncio.create_task(http.post("/predict", content=payload)) for _ in range(16)]
        begun = time.monotonic()
        while not all(task.done() for task in work):
            started = time.monotonic()
            assert (await http.get("/livez")).status_code == 200
            waits.append(time.monotonic() - started)
            await asyncio.sleep(0.01)
        whole = time.monotonic() - begun
        statuses = {(await task).status_code for task in work}

    assert statuses == {200}
    # A twentieth where the loop is free; four fifths where it computes.
    assert max(waits) < whole / 2


def test_T12_a_client_that_resets_its_upload_disturbs_nobody(service, png_bytes):
    port = int(service.rpartition(":")[2])
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\nxx")
        connection.close()

    assert httpx2.post(f"{service}/predict", content=png_bytes, timeout=30).status_code == 200


def test_C2_a_refused_model_stops_the_process_with_the_reason(tiny_checkpoint_path):
    process = start(
        SERVICE_MODALITY="skin-lesion",
        SERVICE_CHECKPOINT=str(tiny_checkpoint_path("chest-xray")),
        SERVICE_PORT=str(free_port()),
    )

    _, errors = process.communicate(timeout=240)

    assert process.returncode == 78
    assert "file is for chest-xray, process serves skin-lesion" in errors


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"SERVICE_MODALITY": "nonsense"}, "no such modality"),
        ({"SERVICE_MODALITY": "symptoms"}, "tabular_service"),
        ({"SERVICE_MODALITY": "ecg", "SERVICE_PORT": "x"}, "SERVICE_PORT"),
        ({"SERVICE_MODALITY": "ecg", "SERVICE_THREADS": "x"}, "SERVICE_THREADS"),
        ({"SERVICE_MODALITY": "ecg", "SERVICE_HOST": "0.0.0.0"}, "required beyond loopback"),
        (
            {
                "SERVICE_MODALITY": "ecg",
                "SERVICE_HOST": "0.0.0.0",
                "SERVICE_INTERNAL_TOKEN": "changeme",
            },
            "weak",
        ),
    ],
)
def test_wrong_settings_are_one_clear_line(environment, words):
    process = start(**environment)

    _, errors = process.communicate(timeout=180)

    assert process.returncode == 2
    assert words in errors
    assert len(errors.splitlines()) == 1


def infer(*arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "vision_service", "infer", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_one_file_is_answered_from_the_command_line(tiny_checkpoint_path, png_bytes, tmp_path):
    picture, answer, overlay = tmp_path / "a.png", tmp_path / "a.json", tmp_path / "o.png"
    picture.write_bytes(png_bytes)

    done = infer(
        "--checkpoint",
        tiny_checkpoint_path("chest-xray"),
        "--input",
        picture,
        "--output",
        answer,
        "--overlay",
        overlay,
    )

    assert done.returncode == 0, done.stderr
    assert Prediction.model_validate_json(answer.read_text()).modality == "chest-xray"
    assert overlay.read_bytes().startswith(b"\x89PNG")


def test_the_command_says_what_is_wrong_in_one_line(tiny_checkpoint_path, tmp_path):
    bad = tmp_path / "a.png"
    bad.write_bytes(b"not a picture")

    done = infer("--checkpoint", tiny_checkpoint_path("chest-xray"), "--input", bad)

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Send one of: image/jpeg, image/png."]
