import asyncio
import json

import httpx2
import pytest
from sqlalchemy import select

from gateway.documents import ANALYSIS_ERRORS
from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import (
    JPEG_BYTES,
    ZIP_BYTES,
    FakeServices,
    open_gateway,
    prediction,
    problem,
)
from tests.gateway.forms import CONTENT_TYPE, form, part

URL = "/v1/chest-xray/predictions"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


async def audit_entries(client):
    """The audit entries, oldest first."""
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.seq))
        return [json.loads(row.body)["entry"] for row in rows]


async def test_an_upload_is_answered_with_id_timings_and_request_id(client, services):
    services.answers["/predict"] = lambda request: httpx2.Response(
        200, json=prediction(request.content)
    )

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG | {"X-Request-ID": "abc-1"})

    body = response.json()
    assert response.status_code == 200
    assert len(body["prediction_id"]) == 32
    assert body["probabilities"] == {"NORMAL": 0.75, "PNEUMONIA": 0.25}
    assert response.headers["x-request-id"] == "abc-1"
    assert services.asked("/predict")[0].headers["x-request-id"] == "abc-1"
    assert {one.partition(";")[0] for one in response.headers["server-timing"].split(", ")} == {
        "decode",
        "wait",
        "service",
    }


async def test_a_form_and_a_raw_body_reach_the_service_alike(client, services):
    for body, content_type in (
        (JPEG_BYTES, "image/png"),
        (form(part("file", JPEG_BYTES, "x.png")), CONTENT_TYPE),
    ):
        response = await client.post(URL, content=body, headers={"content-type": content_type})
        assert response.status_code == 200

    first, second = services.asked("/predict")
    assert first.content == second.content == JPEG_BYTES
    assert first.headers["content-type"] == second.headers["content-type"] == "image/jpeg"


async def test_options_are_passed_on(client, services):
    await client.post(f"{URL}?prevalence=0.05&use_tta=true", content=JPEG_BYTES, headers=JPEG)

    assert dict(services.asked("/predict")[0].url.params) == {
        "prevalence": "0.05",
        "use_tta": "true",
    }


@pytest.mark.parametrize(("query", "passed"), [("", {}), ("?use_tta=false", {"use_tta": "false"})])
async def test_a_choice_of_views_is_passed_on_only_when_it_was_made(
    client, services, query, passed
):
    await client.post(f"{URL}{query}", content=JPEG_BYTES, headers=JPEG)

    assert dict(services.asked("/predict")[0].url.params) == passed


@pytest.mark.parametrize(
    "query",
    [
        "prevalence=0",
        "prevalence=1",
        "prevalence=nan",
        "prevalence=-0.1",
        "prevalence=ten",
        "use_tta=maybe",
        "prevalance=0.1",
        "prevalence=0.1&prevalence=0.9",
    ],
)
async def test_a_bad_unknown_or_doubled_parameter_is_422(client, services, query):
    response = await client.post(f"{URL}?{query}", content=JPEG_BYTES, headers=JPEG)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_field"
    assert services.asked("/predict") == []


async def test_an_unknown_modality_is_404_and_is_not_repeated(client):
    response = await client.post("/v1/canary-4711/predictions", content=JPEG_BYTES, headers=JPEG)

    assert response.status_code == 404
    assert response.json()["code"] == "unknown_modality"
    assert "canary" not in response.text


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        (problem(422, "image_undecodable"), 422, "image_undecodable"),
        (problem(503, "model_unavailable"), 503, "model_unavailable"),
        (problem(503, "overloaded"), 503, "overloaded"),
        (problem(500, "internal_error"), 502, "bad_upstream"),
        (httpx2.Response(200, text="<html>"), 502, "bad_upstream"),
    ],
    ids=lambda value: str(value) if isinstance(value, int | str) else "",
)
async def test_an_error_of_the_service_is_a_problem_of_ours(client, services, answer, status, code):
    services.answers["/predict"] = answer

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    assert ("retry-after" in response.headers) == (status == 503)


async def test_F1_a_service_that_is_down_is_502_then_503_and_others_still_answer(client, services):
    def refuse(request):
        raise httpx2.ConnectError("refused")

    services.answers["chest-xray", "/predict"] = refuse
    statuses = [
        (await client.post(URL, content=JPEG_BYTES, headers=JPEG)).status_code for _ in range(7)
    ]
    other = await client.post("/v1/skin-lesion/predictions", content=JPEG_BYTES, headers=JPEG)

    assert statuses == [502] * 5 + [503] * 2
    assert other.status_code == 200
    assert len(services.asked("/predict")) == 6


async def test_F1_a_refusal_of_the_open_breaker_says_when_to_come_back(client, services):
    services.answers["/predict"] = problem(500, "internal_error")
    for _ in range(5):
        await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert response.json()["code"] == "modality_unavailable"
    assert 1 <= int(response.headers["retry-after"]) <= 5
    assert response.headers["connection"] == "close"


async def test_F8_a_service_that_drains_is_left_alone_until_it_is_back(tmp_path, services):
    def last_answer(request):
        body = prediction(request.content)
        return httpx2.Response(200, json=body, headers={"X-Draining": "true"})

    services.answers[("chest-xray", "/predict")] = last_answer
    # No poll in the background: the test says when.
    async with open_gateway(tmp_path, services, readiness_poll_seconds=600) as client:
        last = await client.post(URL, content=JPEG_BYTES, headers=JPEG)
        refused = [await client.post(URL, content=JPEG_BYTES, headers=JPEG) for _ in range(2)]
        other = await client.post("/v1/ecg/predictions", content=JPEG_BYTES, headers=JPEG)
        unnamed = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)
        card = await client.get("/v1/models/chest-xray/card")
        guides = {request.url.host for request in services.asked("/recognise")}
        asked = len([one for one in services.requests if one.url.host == "chest-xray"])
        del services.answers[("chest-xray", "/predict")]
        await client.app.state.parts.watch.refresh()
        again = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert last.status_code == 200
    for answer in (*refused, unnamed, card):  # the image looks like one of the chest
        assert (answer.status_code, answer.json()["code"]) == (503, "modality_unavailable")
        assert answer.headers["retry-after"] == "2"
    assert other.status_code == 200
    assert guides == {"skin-lesion", "breast-ultrasound", "ecg"}
    assert asked == 1
    assert again.status_code == 200


async def test_F2_a_service_that_hangs_is_504_at_the_deadline_of_the_caller(client, services):
    async def hang(request):
        await asyncio.sleep(30)

    services.answers["/predict"] = hang

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG | {"X-Deadline-Ms": "1000"})

    assert response.status_code == 504
    assert int(services.asked("/predict")[0].headers["x-deadline-ms"]) <= 1000


async def test_a_caller_may_shorten_the_deadline_but_not_lengthen_it(client, services):
    await client.post(URL, content=JPEG_BYTES, headers=JPEG | {"X-Deadline-Ms": "99999999"})

    assert int(services.asked("/predict")[0].headers["x-deadline-ms"]) <= 10_000


async def test_a_deadline_that_is_no_number_is_400(client):
    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG | {"X-Deadline-Ms": "soon"})

    assert response.status_code == 400


async def test_impatient_callers_do_not_open_the_breaker_for_others(client, services):
    async def slow(request):
        await asyncio.sleep(0.05)
        return httpx2.Response(200, json=prediction(request.content))

    services.answers["/predict"] = slow
    for _ in range(6):
        hurried = await client.post(URL, content=JPEG_BYTES, headers=JPEG | {"X-Deadline-Ms": "10"})
        assert hurried.status_code == 504

    patient = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert patient.status_code == 200


async def test_every_request_has_one_record_refusals_too(client, services):
    services.answers["/predict"] = lambda request: httpx2.Response(
        200, json=prediction(request.content)
    )
    good = await client.post(URL, content=JPEG_BYTES, headers=JPEG)
    await client.post(URL, content=ZIP_BYTES, headers=JPEG)
    await client.post("/v1/nothing/predictions", content=JPEG_BYTES, headers=JPEG)
    await client.get("/health")

    rows = await audit_entries(client)

    assert [(row["status"], row["error_code"], row["modality"]) for row in rows] == [
        (200, None, "chest-xray"),
        (415, "unsupported_media_type", "chest-xray"),
        (404, "unknown_modality", None),
    ]
    assert rows[0]["prediction_id"] == good.json()["prediction_id"]
    assert rows[0]["outcome"] == "accepted"
    assert rows[0]["input_sha256"] == good.json()["input"]["sha256"]
    assert {row["caller"] for row in rows} == {"local"}
    assert {row["route"] for row in rows} == {"POST /v1/{modality}/predictions"}


async def test_F9_without_a_record_there_is_no_result(client):
    store = client.app.state.store
    await store.audit.__aexit__()

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert response.status_code == 503
    assert response.json()["code"] == "audit_unavailable"
    assert "probabilities" not in response.text


async def test_the_document_names_every_error_of_an_analysis(client):
    document = (await client.get("/openapi.json")).json()
    documented = document["paths"]["/v1/{modality}/predictions"]["post"]["responses"]

    assert documented.keys() == {"200", *(str(status) for status in ANALYSIS_ERRORS)}
