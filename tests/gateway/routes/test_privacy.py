"""Canaries: patient strings sent in every field are in no store, no log, no answer, no metric."""

import logging

import pytest

from gateway.moment import utc_now
from tests.gateway.fakes import JPEG_BYTES, FakeServices, open_gateway, prediction

CANARIES = [f"Canary{number:02d}" for number in range(40)]


def post(url, **options):
    return "POST", url, options


def get(url):
    return "GET", url, {}


def requests_with(name, prediction_id):
    """Put one string into each place that a caller can write, one request for each."""
    jpeg = {"content-type": "image/jpeg"}
    url = "/v1/chest-xray/predictions"
    form = {"file": (f"{name}.jpg", JPEG_BYTES, f"image/{name}")}
    return [
        post(url, content=JPEG_BYTES + name.encode(), headers=jpeg),
        post(url, files=form, data={"patient_name": name}),
        post(url, files={name: (name, JPEG_BYTES)}),
        post(url, content=name.encode(), headers={"content-type": name}),
        post(f"{url}?{name}={name}", content=JPEG_BYTES, headers=jpeg),
        post(f"{url}?prevalence={name}", content=JPEG_BYTES, headers=jpeg),
        post(f"/v1/{name}/predictions", content=JPEG_BYTES, headers=jpeg),
        post(f"/{name}", content=name.encode()),
        get(f"/v1/predictions/{name}/receipt"),
        get(f"/v1/models/{name}/card"),
        get(f"/v1/models?{name}=1"),
        post(url, content=JPEG_BYTES, headers=jpeg | {"X-Request-ID": f"{name} {name}"}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"User-Agent": name, "X-Patient": name}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"X-API-Key": name}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"Authorization": f"Bearer {name}"}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"Authorization": name}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"Idempotency-Key": f"{name}-1"}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"Idempotency-Key": f"{name}\t"}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"X-Deadline-Ms": name}),
        post(url, content=JPEG_BYTES, headers=jpeg | {"X-Forwarded-For": name}),
        post("/v1/symptoms/predictions", json={"symptoms": [name]}),
        post("/v1/heart-risk/predictions", json={"age": name, name: 1}),
        post(
            f"/v1/predictions/{prediction_id}/feedback",
            json={"agree": True, "patient_reference": name},
        ),
        post(
            f"/v1/predictions/{prediction_id}/feedback",
            json={"agree": False, "corrected_label": name, "comment_code": name, name: name},
        ),
        post(f"/v1/predictions/{name}/feedback", json={"agree": True}),
    ]


@pytest.fixture
def services():
    import httpx2

    services = FakeServices()

    def answer(request):
        body = prediction(request.content, request.url.host, outcome="abstained", label=None)
        return httpx2.Response(200, json=body | {"probabilities": {}})

    services.answers["/predict"] = answer
    return services


async def test_F17_forty_canaries_leave_no_trace_in_answers_logs_metrics_or_stores(
    tmp_path, services, caplog
):
    seen = []
    with caplog.at_level(logging.DEBUG):
        async with open_gateway(tmp_path, services) as client:
            first = await client.post(
                "/v1/chest-xray/predictions",
                content=JPEG_BYTES,
                headers={"content-type": "image/jpeg"},
            )
            prediction_id = first.json()["prediction_id"]
            places = len(requests_with("", prediction_id))
            for number in range(2 * len(CANARIES)):
                name = CANARIES[number % len(CANARIES)]
                method, url, options = requests_with(name, prediction_id)[number % places]
                seen.append(await client.request(method, url, **options))
            metrics = (await client.get("/metrics")).text

    haystacks = {
        "answers": b"\n".join(one.content + repr(dict(one.headers)).encode() for one in seen),
        "metrics": metrics.encode(),
        "log": "\n".join(
            f"{record.getMessage()} {record.__dict__}"
            for record in caplog.records
            if not record.name.startswith(("httpx2", "httpcore2", "aiosqlite", "asyncio"))
        ).encode(),
    } | {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    hits = [
        (place, name)
        for place, text in haystacks.items()
        for name in CANARIES
        if name.lower().encode() in text.lower()
    ]

    assert hits == []
    assert not [one for one in seen if one.status_code >= 500]
    assert {"mediflow.db", "audit-anchors.jsonl"} <= haystacks.keys()
    assert utc_now().strftime("%Y").encode() in haystacks["audit-anchors.jsonl"]
