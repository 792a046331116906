"""From generated films to an answer over HTTP: train, export, serve, upload, the same numbers."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import roc_auc_score

from tests.e2e.processes import ROOT, Service, running, wait_ready
from tests.e2e.striped import SETTINGS, striped, write_films

MODALITY = "chest-xray"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    """A model file that the training command made from generated films."""
    folder = tmp_path_factory.mktemp("films")
    command = [sys.executable, "-m", "training", "train", MODALITY, "--device", "cpu"]
    command += ["--manifest", str(write_films(folder)), "--run-folder", str(folder / "run")]
    command += ["--out", str(folder / "models"), "--threads", "1"]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    result = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=600, env=dict(os.environ)
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return folder / "models" / MODALITY / "v1.pth"


@pytest.fixture(scope="module")
def service(checkpoint) -> Service:
    return Service(MODALITY, checkpoint)


@pytest.fixture(scope="module")
def gateway(service, tmp_path_factory):
    with running(service, tmp_path_factory.mktemp("audit")) as url:
        yield url


def film(seed: int, *, across: bool) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(striped(np.random.default_rng(seed), across=across)).save(stream, "PNG")
    return stream.getvalue()


def upload(url: str, payload: bytes, name: str = "film.png") -> httpx2.Response:
    return httpx2.post(
        f"{url}/v1/{MODALITY}/predictions", files={"file": (name, payload)}, timeout=30
    )


def upload_later(url: str, payload: bytes) -> httpx2.Response:
    """Upload after a quarter of a second, as a patient client would."""
    time.sleep(0.25)
    return upload(url, payload)


def test_the_numbers_over_http_are_those_in_process(checkpoint, gateway):
    from vision_service.library import analyze

    for seed in range(6):
        payload = film(1000 + seed, across=seed % 2 == 1)
        answer = upload(gateway, payload).json()
        expected = analyze(payload, MODALITY, checkpoint)

        assert answer["outcome"] == expected.outcome
        assert answer["label"] == expected.label
        for label, probability in expected.probabilities.items():
            assert answer["probabilities"][label] == pytest.approx(probability, abs=1e-4)


def test_the_trained_model_tells_the_stripes_apart(gateway):
    answers = [upload(gateway, film(seed, across=seed % 2 == 1)).json() for seed in range(20)]

    scores = [answer["probabilities"]["PNEUMONIA"] for answer in answers]
    truth = [seed % 2 for seed in range(20)]
    assert roc_auc_score(truth, scores) > 0.8


def test_multipart_and_raw_body_get_the_same_answer(gateway):
    payload = film(3, across=True)
    raw = httpx2.post(
        f"{gateway}/v1/{MODALITY}/predictions",
        content=payload,
        headers={"content-type": "image/png"},
        timeout=30,
    )

    assert raw.status_code == 200
    assert raw.json()["probabilities"] == upload(gateway, payload).json()["probabilities"]


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"hello, I am a text", 415, "unsupported_media_type"),
        (film(1, across=False)[:300], 422, "image_undecodable"),
        (b"", 422, None),
        (b"GIF89a" + bytes(100), 415, "unsupported_media_type"),
    ],
)
def test_bad_input_is_a_problem_that_repeats_nothing_of_it(gateway, payload, status, code):
    response = upload(gateway, payload, name="John_Doe_1970.png")

    problem = response.json()
    assert response.headers["content-type"].startswith("application/problem+json")
    assert response.status_code == status or (payload == b"" and response.status_code in (415, 422))
    assert code is None or problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert "John" not in response.text


def test_F3_a_killed_service_gives_clear_errors_and_recovers(gateway, service):
    payload = film(5, across=True)

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(upload, gateway, payload) for _ in range(24)]
        service.kill()
        answers = [future.result() for future in waiting]
    statuses = {answer.status_code for answer in answers}
    service.start()
    wait_ready(service.url)
    recovered = [upload_later(gateway, payload).status_code for _ in range(60)]

    assert statuses <= {200, 502, 503, 504}
    assert statuses & {502, 503, 504}
    assert all(json.loads(answer.text)["code"] for answer in answers if answer.status_code != 200)
    assert recovered[-1] == 200
