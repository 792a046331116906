"""A version is changed, and taken back, by a restart; callers see which model answered."""

import threading
import time
from collections.abc import Iterator

import httpx2
import pytest

from tests.conftest import write_tiny_checkpoint
from tests.e2e.processes import Service, running, wait_ready

MODALITY = "chest-xray"
URL = f"/v1/{MODALITY}/predictions"


class Caller:
    """Asks without a pause from a thread of its own; keeps what it was told, in order."""

    def __init__(self, base: str, payload: bytes) -> None:
        self.answers: list[tuple[int, dict]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._ask, args=(base, payload))

    def __enter__(self) -> "Caller":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _ask(self, base: str, payload: bytes) -> None:
        headers = {"content-type": "image/png"}
        with httpx2.Client(base_url=base, timeout=60) as http:
            while not self._stopping.is_set():
                answer = http.post(URL, content=payload, headers=headers)
                self.answers.append((answer.status_code, answer.json()))

    def wait_for(self, count: int, version: str) -> None:
        """Wait until so many more answers of a version have come."""
        begin, deadline = len(self.answers), time.monotonic() + 120
        while sum(given == version for given in versions(self.answers[begin:])) < count:
            self._thread.join(0.05)
            assert self._thread.is_alive()
            assert time.monotonic() < deadline, self.answers[-1:]


def versions(answers: list[tuple[int, dict]]) -> list[str]:
    return [body["model"]["version"] for status, body in answers if status == 200]


@pytest.fixture
def files(tmp_path):
    """Two versions of one model."""
    folder = tmp_path / MODALITY
    return [write_tiny_checkpoint(MODALITY, folder, version=number) for number in (1, 2)]


@pytest.fixture
def service(files, monkeypatch) -> Iterator[Service]:
    monkeypatch.setenv("SERVICE_BACKEND", "torch")
    return Service(MODALITY, files[0])


def restart_on(service: Service, file) -> None:
    assert service.process is not None
    service.process.terminate()
    assert service.process.wait(60) == 0
    service.checkpoint = file
    service.start()
    wait_ready(service.url, seconds=300)


def test_C5_C7_F8_versions_change_by_restart_under_load_and_no_answer_is_mislabelled(
    service, files, tmp_path, png_bytes
):
    with running(service, tmp_path) as gateway, Caller(gateway, png_bytes) as caller:
        caller.wait_for(5, "v1")
        restart_on(service, files[1])
        caller.wait_for(5, "v2")
        restart_on(service, files[0])
        caller.wait_for(5, "v1")

    order = [version for version, before in pairs(versions(caller.answers)) if version != before]
    assert order == ["v1", "v2", "v1"]
    digests = {
        (body["model"]["version"], body["model"]["sha256"])
        for status, body in caller.answers
        if status == 200
    }
    assert len(digests) == 2
    refused = [(status, body["code"]) for status, body in caller.answers if status != 200]
    assert set(refused) <= {(503, "modality_unavailable"), (503, "model_unavailable")}


def pairs(values: list[str]) -> list[tuple[str, str | None]]:
    return list(zip(values, [None, *values], strict=False))
