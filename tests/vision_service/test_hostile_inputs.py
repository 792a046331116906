"""Hostile files against a real service process: watched, short of memory, and asked if it lives."""

import contextlib
import io
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import numpy as np
import psutil
import pytest
from PIL import Image

from tests.conftest import strace_of_opens
from tests.contracts.pictures import png
from tests.contracts.wfdb_samples import counts_of, record_zip, synthetic_ecg, wfdb_header
from tests.e2e.processes import free_port, wait_ready

ROOT = Path(__file__).parents[2]
CANARY = "mf-canary"
#: /livez may take this long; generous, as the machine that tests may be busy with other things.
HEALTH_SECONDS = 2.0


@contextlib.contextmanager
def serving(modality, checkpoint, prefix=(), backend="torch"):
    """A process, on torch starting fastest; yields its URL and process id."""
    port = free_port()
    environment = {
        "SERVICE_MODALITY": modality,
        "SERVICE_CHECKPOINT": str(checkpoint),
        "SERVICE_PORT": str(port),
        "SERVICE_BACKEND": backend,
        "SERVICE_DEVICE": "cpu",
    }
    process = subprocess.Popen(
        [*prefix, sys.executable, "-m", "vision_service"],
        cwd=ROOT,
        env=os.environ | environment,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def grey_png(width, height):
    """A small file of many pixels."""
    return png(width, height, 8, 0, bytes((width + 1) * height))[0]


def progressive(scans):
    """A JPEG whose decoding takes as many passes."""
    buffer = io.BytesIO()
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (2000, 3000, 3), dtype=np.uint8)).save(
        buffer, "JPEG", progressive=True
    )
    payload = buffer.getvalue()
    start = payload.index(b"\xff\xda")
    scan = payload[start : payload.index(b"\xff\xda", start + 2)]
    return payload[:start] + scan * scans + payload[start:]


def post(base, payload):
    return httpx2.post(f"{base}/predict", content=payload, timeout=60)


@pytest.fixture(scope="module")
def chest(tiny_checkpoint_path):
    with serving("chest-xray", tiny_checkpoint_path("chest-xray")) as (base, pid):
        yield base, psutil.Process(pid)


def test_I2_I3_bombs_are_refused_without_work_and_without_memory(chest, png_bytes):
    base, process = chest
    assert post(base, png_bytes).status_code == 200
    bombs = [grey_png(13_000, 13_000), grey_png(16_000, 9_000), png(60_000, 60_000, 8, 0, b"")[0]]
    before, spent = process.memory_info().rss, sum(process.cpu_times()[:2])

    answers = [post(base, bomb) for bomb in bombs for _ in range(4)]

    assert {answer.status_code for answer in answers} == {422}
    assert {answer.json()["code"] for answer in answers} == {"too_many_pixels"}
    assert process.memory_info().rss - before < 64 * 1024 * 1024
    assert (sum(process.cpu_times()[:2]) - spent) / len(answers) < 0.15


def test_I13_F15_the_probe_answers_while_hostile_inputs_are_decoded(chest, png_bytes):
    base, _ = chest
    files = [progressive(80), progressive(300), grey_png(6_000, 6_000), png_bytes[:-20]]
    slowest, statuses = 0.0, []
    with ThreadPoolExecutor(8) as pool, httpx2.Client(base_url=base) as http:
        work = [pool.submit(post, base, payload) for payload in files * 4]
        while not all(task.done() for task in work):
            started = time.monotonic()
            assert http.get("/livez", timeout=30).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.02)
        statuses = [task.result().status_code for task in work]

    assert set(statuses) <= {200, 422, 503, 504}
    assert slowest < HEALTH_SECONDS
    assert post(base, png_bytes).status_code == 200


@pytest.fixture(params=["torch", "onnxruntime"])
def fresh(request, tiny_checkpoint_path):
    """A service whose heap no earlier input has grown."""
    checkpoint = tiny_checkpoint_path("chest-xray")
    with serving("chest-xray", checkpoint, backend=request.param) as (base, pid):
        yield base, psutil.Process(pid)


@contextlib.contextmanager
def memory_left(process, mebibytes):
    """Let a process have only so much more memory than it has now."""
    limit = process.memory_info().vms + mebibytes * 1024 * 1024
    resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    try:
        yield
    finally:
        free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(process.pid, resource.RLIMIT_AS, free)


def test_F12_an_input_beyond_the_memory_is_a_503_and_the_service_lives(fresh, png_bytes):
    base, process = fresh
    assert post(base, png_bytes).status_code == 200
    files = [grey_png(6_300, 6_300), progressive(0), png_bytes]
    answers = []
    for mebibytes in (2, 12, 25, 60):
        with memory_left(process, mebibytes):
            answers += [post(base, payload) for payload in files]
            answers.append(httpx2.post(f"{base}/explain", content=png_bytes, timeout=60))

    refused = [answer for answer in answers if answer.status_code != 200]
    assert refused
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.json()["retryable"] is True
        assert int(answer.headers["retry-after"]) > 0
    assert post(base, png_bytes).status_code == 200


class Trap:
    """A port that notes whether anybody comes."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.visits = 0
        threading.Thread(target=self._wait, daemon=True).start()

    def _wait(self):
        with contextlib.suppress(OSError):
            while True:
                self._listener.accept()[0].close()
                self.visits += 1

    def close(self):
        self._listener.close()


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_W1_W8_no_name_in_a_record_is_opened_or_visited(tiny_checkpoint_path, tmp_path):
    trap = Trap()
    names = [
        f"../../{CANARY}",
        f"/tmp/{CANARY}",
        f"~/{CANARY}",
        f"s3://{CANARY}/x",
        f"http://127.0.0.1:{trap.port}/{CANARY}",
    ]
    counts = counts_of(synthetic_ecg())
    prefix = strace_of_opens(tmp_path / "opened")
    with serving("ecg", tiny_checkpoint_path("ecg"), prefix) as (base, _):
        named = [
            post(base, record_zip(header=wfdb_header(counts, storage=f"{name} 16")))
            for name in names
        ]
        plain = post(base, record_zip())
    trap.close()
    opened = (tmp_path / "opened").read_text(errors="replace")

    assert plain.status_code == 200
    assert {answer.status_code for answer in named} <= {200, 422}
    assert "v1.pth" in opened
    assert CANARY not in opened
    assert trap.visits == 0
