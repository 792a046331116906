"""Forty made-up patients in every place that a caller can write, through the real processes: no
answer, log, metric or record knows them afterwards.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from typing import Any

import httpx2
from PIL import Image, PngImagePlugin

from gateway.upload import pack_record
from tests.soak.samples import sample
from tests.soak.system import System

CANARIES = tuple(f"Zqcanary{number:02d}x" for number in range(40))
Request = tuple[str, str, dict[str, Any]]
PATIENT_HEADER = "X-Patient-Reference"
PNG, ZIP = {"content-type": "image/png"}, {"content-type": "application/zip"}


def png(name: str) -> bytes:
    """A picture whose text and EXIF name a patient."""
    facts, exif = PngImagePlugin.PngInfo(), Image.Exif()
    facts.add_text("PatientName", name)
    facts.add_itxt("Comment", name)
    exif[0x010E] = name
    stream = io.BytesIO()
    with Image.open(io.BytesIO(sample("chest-xray/IM-0117-0001.jpeg"))) as film:
        film.resize((320, 280)).save(stream, "PNG", pnginfo=facts, exif=exif)
    return stream.getvalue()


def record(name: str) -> bytes:
    """A record whose header names a patient, as record name and in a comment."""
    lines = sample("ecg/00003_lr.hea").decode().splitlines()
    lines[0] = name + lines[0][lines[0].index(" ") :]
    header = "\n".join([*lines, f"# Name: {name}", ""])
    return pack_record(header.encode(), sample("ecg/00003_lr.dat"))


def uploads(name: str) -> Iterator[Request]:
    """The patient in files that are read, and in files that are not."""
    film, wave = png(name), record(name)
    for route in ("predictions", "explanations", "renderings"):
        yield "POST", f"/v1/chest-xray/{route}", {"content": film, "headers": PNG}
        yield "POST", f"/v1/ecg/{route}", {"content": wave, "headers": ZIP}
    yield "POST", "/v1/analyze", {"files": {"file": (f"{name}.png", film, f"image/{name}")}}
    yield "POST", "/v1/chest-xray/predictions", {"content": film[:-900], "headers": PNG}
    yield "POST", "/v1/ecg/predictions", {"content": wave.replace(b"mV", b"kV"), "headers": ZIP}
    yield "POST", "/v1/chest-xray/predictions", {"files": {name: (name, film)}}
    yield "POST", "/api/vision/analyze", {"files": {"file": (f"{name}.png", film)}}
    yield (
        "POST",
        "/predict",
        {"files": {"file": (f"{name}.png", film)}, "data": {"patient_id": name}},
    )


def reports(name: str) -> Iterator[Request]:
    """The patient in what goes into a report; the caller's own reference stands on the page."""
    film = png(name)
    for form in ("html", "pdf"):
        path = f"/v1/chest-xray/reports?format={form}"
        yield "POST", path, {"content": film, "headers": PNG}
        yield "POST", path, {"content": film, "headers": PNG | {PATIENT_HEADER: name}}
    yield "POST", "/v1/chest-xray/reports", {"content": film, "headers": {PATIENT_HEADER: name}}


def texts(name: str) -> Iterator[Request]:
    """The patient in documents, paths, queries and headers."""
    yield "POST", "/v1/symptoms/predictions", {"json": {"symptoms": ["cough", name]}}
    yield "POST", "/v1/symptoms/explanations", {"json": {"symptoms": ["cough", "fever", name]}}
    yield "POST", "/v1/heart-risk/predictions", {"json": {"age": name, name: 1}}
    yield "POST", "/predict-disease", {"json": {"symptoms": [name, name]}}
    yield "POST", "/predict-heart", {"json": {"name": name}}
    yield "GET", f"/v1/{name}", {}
    yield "POST", f"/v1/chest-xray/predictions?{name}={name}", {"content": b"x", "headers": PNG}
    yield "GET", f"/v1/predictions/{name}/receipt", {}
    yield "GET", "/v1/modalities", {"headers": {"User-Agent": name, "X-Request-ID": f"{name} 1"}}
    yield "GET", "/metrics", {"headers": {"Authorization": name, "Cookie": name}}
    yield "POST", "/v1/symptoms/predictions", {"content": name, "headers": {"content-type": name}}


def places(name: str) -> list[Request]:
    """One request for every place."""
    return [*uploads(name), *reports(name), *texts(name)]


def traces(system: System, client: httpx2.Client) -> dict[str, bytes]:
    """Everything that the processes have written anywhere, by where it lies."""
    files = [path for path in system.folder.rglob("*") if path.is_file()]
    found = {str(path.relative_to(system.folder)): path.read_bytes() for path in files}
    for name in system.lines:
        headers = {"Authorization": f"Bearer {system.environment['SERVICE_INTERNAL_TOKEN']}"}
        answer = client.get(f"{system.url_of(name)}/metrics", headers=headers)
        found[f"metrics of {name}"] = answer.content
    return found


def is_asked_for(answer: httpx2.Response, options: dict[str, Any]) -> bool:
    """True for an answer that repeats the caller's own reference: a report, and /predict's."""
    given = PATIENT_HEADER in options.get("headers", {}) or "patient_id" in options.get("data", {})
    return answer.status_code == 200 and given


def test_figure_13_forty_canaries_on_every_path_leave_no_trace_in_any_process(system):
    seen: dict[str, bytes] = {}
    statuses: list[int] = []
    with httpx2.Client(base_url=system.url, timeout=60) as client:
        rounds = itertools.chain.from_iterable(zip(*map(places, CANARIES), strict=True))
        for number, (method, path, options) in enumerate(itertools.islice(rounds, None, None, 13)):
            answer = client.request(method, path, **options)
            statuses.append(answer.status_code)
            text = b"" if is_asked_for(answer, options) else answer.content
            seen[f"answer {number}"] = text + repr(dict(answer.headers)).encode()
        kept = traces(system, client)
    names = [name.lower().encode() for name in CANARIES]
    hits = [place for place, text in (seen | kept).items() if any(n in text.lower() for n in names)]

    assert hits == []
    assert {"gateway.log", "ecg.log", "metrics of symptoms"} <= kept.keys()
    assert any(name.startswith("data/") for name in kept)
    assert statuses.count(200) > 10 and max(statuses) < 500
