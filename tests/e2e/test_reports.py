"""Reports of real processes: a film, an ECG record and a table, as HTML and as PDF."""

from __future__ import annotations

import contextlib
import io
import json
import sqlite3

import httpx2
import pytest
from pypdf import PdfReader

from tests.e2e.processes import ROOT, free_port, released, start, wait_ready, wait_seen

EXAMPLES = ROOT / "examples"
REFERENCE = "ward-7/0042"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The gateway's data."""
    return tmp_path_factory.mktemp("gateway")


@pytest.fixture(scope="module")
def address(tiny_checkpoint_path, folder):
    """A gateway before services of an image, an ECG and a table model."""
    models = {name: tiny_checkpoint_path(name) for name in ("chest-xray", "ecg")}
    models["heart-risk"] = released("heart-risk")
    ports = {name: free_port() for name in models}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    own = free_port()
    processes = [
        start(
            "tabular_service" if path.suffix == ".skops" else "vision_service",
            SERVICE_MODALITY=name,
            SERVICE_CHECKPOINT=str(path),
            SERVICE_HOST="127.0.0.1",
            SERVICE_PORT=str(ports[name]),
            SERVICE_DEADLINE_SECONDS="60",
        )
        for name, path in models.items()
    ]
    processes.append(
        start(
            "gateway",
            GATEWAY_PORT=str(own),
            GATEWAY_UPSTREAMS=json.dumps(urls),
            GATEWAY_DATA_DIR=str(folder),
            GATEWAY_DEADLINE_SECONDS="60",
        )
    )
    try:
        for url in (*urls.values(), f"http://127.0.0.1:{own}"):
            wait_ready(url, seconds=300)
        wait_seen(f"http://127.0.0.1:{own}", set(models))
        yield f"http://127.0.0.1:{own}"
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)


def ask(address, modality, form, **options):
    """Post the example of a modality; return the answer."""
    headers = {"X-Patient-Reference": REFERENCE}
    with httpx2.Client(base_url=address, timeout=90, headers=headers) as http:
        return http.post(f"/v1/{modality}/reports?format={form}", **options)


def film(name="chest-xray/IM-0117-0001.jpeg"):
    return {"files": {"file": ("film.jpeg", (EXAMPLES / name).read_bytes())}}


def record():
    files = [EXAMPLES / "ecg" / f"00492_lr.{ending}" for ending in ("hea", "dat")]
    return {"files": [("file", (path.name, path.read_bytes())) for path in files]}


def factors():
    content = (EXAMPLES / "heart-risk" / "man-58.json").read_bytes()
    return {"content": content, "headers": {"content-type": "application/json"}}


CASES = {
    "chest-xray": (film, "Chest X-ray", "grey levels"),
    "ecg": (record, "12-lead ECG", "Sampling rate, Hz"),
    "heart-risk": (factors, "Heart risk factors", "58 years"),
}


@pytest.mark.parametrize("modality", CASES)
def test_a_report_comes_as_a_page_and_as_a_document(address, modality):
    make, title, fact = CASES[modality]

    html = ask(address, modality, "html", **make())
    pdf = ask(address, modality, "pdf", **make())

    assert (html.status_code, pdf.status_code) == (200, 200)
    reader = PdfReader(io.BytesIO(pdf.content))
    text = " ".join(reader.pages[0].extract_text().split())
    assert len(reader.pages) == 1
    for part in (title, fact, REFERENCE):
        assert part in html.text
        assert part in text
    assert len(html.content) < 4_000_000
    assert len(pdf.content) < 4_000_000


def test_a_film_and_its_map_are_on_the_page(address):
    html = ask(address, "chest-xray", "html", **film()).text
    pdf = PdfReader(io.BytesIO(ask(address, "chest-xray", "pdf", **film()).content))

    assert html.count("data:image/png;base64,") == 2
    assert len(pdf.pages[0].images) == 2


def test_the_record_of_a_report_holds_neither_the_reference_nor_the_input(address, folder):
    ask(address, "ecg", "pdf", **record())

    with contextlib.closing(sqlite3.connect(folder / "mediflow.db")) as database:
        (body,) = database.execute(
            "SELECT body FROM audit_records ORDER BY seq DESC LIMIT 1"
        ).fetchone()
    entry = json.loads(body)["entry"]
    assert entry["route"] == "POST /v1/{modality}/reports"
    assert entry["prediction_id"] and entry["patient_hmac"]
    assert REFERENCE not in body


def test_a_report_of_what_cannot_be_read_is_a_problem(address):
    broken = {"files": {"file": ("film.jpeg", b"\xff\xd8\xff\xe0 cut off")}}

    response = ask(address, "chest-xray", "pdf", **broken)

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
