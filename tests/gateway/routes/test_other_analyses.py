import httpx2
import pytest
from sqlalchemy import select

from gateway.tables import IDEMPOTENT_ANSWERS
from tests.gateway.fakes import (
    JPEG_BYTES,
    PNG_BYTES,
    ZIP_BYTES,
    FakeServices,
    open_gateway,
    problem,
)
from tests.gateway.forms import CONTENT_TYPE, form, part

JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


async def test_an_explanation_holds_a_completed_prediction(client):
    response = await client.post("/v1/skin-lesion/explanations", content=JPEG_BYTES, headers=JPEG)

    body = response.json()
    assert response.status_code == 200
    assert body["kind"] == "withheld"
    assert len(body["prediction"]["prediction_id"]) == 32


async def test_an_explanation_is_never_kept_as_it_shows_the_picture(client, services):
    headers = JPEG | {"Idempotency-Key": "try-1"}
    for _ in range(2):
        await client.post("/v1/skin-lesion/explanations", content=JPEG_BYTES, headers=headers)
    async with client.app.state.store.database.reading() as connection:
        kept = (await connection.execute(select(IDEMPOTENT_ANSWERS))).all()

    assert len(services.asked("/explain")) == 2
    assert kept == []


async def test_a_rendering_is_the_picture_that_the_service_drew(client, services):
    response = await client.post("/v1/ecg/renderings", content=PNG_BYTES, headers=JPEG)

    assert response.status_code == 200
    assert response.headers["content-type"] == "image/png"
    assert response.content == PNG_BYTES
    assert dict(services.asked("/render")[0].url.params) == {}


async def test_a_rendering_as_svg_is_asked_for_and_passed_on_under_the_strict_policy(
    client, services
):
    svg = httpx2.Response(200, content=b"<svg/>", headers={"content-type": "image/svg+xml"})
    services.answers["/render"] = svg

    response = await client.post(
        "/v1/ecg/renderings?format=svg",
        content=ZIP_BYTES,
        headers={"content-type": "application/zip"},
    )

    assert dict(services.asked("/render")[0].url.params) == {"format": "svg"}
    assert (response.status_code, response.content) == (200, b"<svg/>")
    assert response.headers["content-type"] == "image/svg+xml"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_picture_that_is_to_be_svg_is_422_as_the_service_says(client, services):
    services.answers["/render"] = problem(422, "invalid_field", field="format")

    response = await client.post("/v1/ecg/renderings?format=svg", content=PNG_BYTES, headers=JPEG)

    assert response.status_code == 422
    assert (response.json()["code"], response.json()["field"]) == ("invalid_field", "format")


@pytest.mark.parametrize("query", ["format=gif", "format=", "format=svg&format=png", "form=svg"])
async def test_another_form_of_a_rendering_is_422(client, services, query):
    response = await client.post(f"/v1/ecg/renderings?{query}", content=PNG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")
    assert services.asked("/render") == []


async def test_there_is_no_rendering_of_a_table(client, services):
    response = await client.post("/v1/symptoms/renderings", json={"symptoms": ["cough"]})

    assert response.status_code == 404
    assert services.asked("/render") == []


async def test_a_rendering_takes_no_options(client):
    response = await client.post("/v1/ecg/renderings?use_tta=true", content=PNG_BYTES, headers=JPEG)

    assert response.status_code == 422


async def test_a_table_is_passed_on_as_it_was_sent(client, services):
    sent = b'{"symptoms": [ "cough" ]}'

    response = await client.post(
        "/v1/symptoms/predictions", content=sent, headers={"content-type": "application/json"}
    )

    assert response.status_code == 200
    assert services.asked("/predict")[0].content == sent


async def test_two_parts_of_a_record_reach_the_service_as_one_zip(client, services):
    body = form(part("file", b"HEADER", "a.hea"), part("file", b"SAMPLES", "a.dat"))

    response = await client.post(
        "/v1/ecg/predictions", content=body, headers={"content-type": CONTENT_TYPE}
    )

    (request,) = services.asked("/predict")
    assert response.status_code == 200
    assert request.headers["content-type"] == "application/zip"
    assert request.content.startswith(b"PK\x03\x04")


async def test_an_unnamed_image_is_answered_by_the_service_it_looks_like(client, services):
    looks = {"looks_like": "skin-lesion", "probabilities": {"skin-lesion": 0.9}}
    services.answers["/recognise"] = httpx2.Response(200, json=looks)

    response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert response.status_code == 200
    assert response.json()["modality"] == "skin-lesion"
    assert [request.url.host for request in services.asked("/predict")] == ["skin-lesion"]


async def test_all_ready_image_services_say_together_what_an_image_looks_like(client, services):
    unsure = {"chest-xray": 0.26, "skin-lesion": 0.25, "other": 0.28}
    sure = {"skin-lesion": 0.98, "other": 0.01}
    for name, found in {"chest-xray": unsure, "ecg": unsure, "skin-lesion": sure}.items():
        looks = {"looks_like": max(found, key=found.get), "probabilities": found}
        services.answers[name, "/recognise"] = httpx2.Response(200, json=looks)
    services.answers["breast-ultrasound", "/recognise"] = problem(503, "overloaded")

    response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert response.json()["modality"] == "skin-lesion"
    assert {request.url.host for request in services.asked("/recognise")} == {
        "chest-xray",
        "skin-lesion",
        "breast-ultrasound",
        "ecg",
    }


async def test_asking_what_it_is_leaves_time_for_the_answer(client, services):
    await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG | {"x-deadline-ms": "10000"})

    asked, answered = (
        [int(request.headers["x-deadline-ms"]) for request in services.asked(path)]
        for path in ("/recognise", "/predict")
    )
    assert max(asked) <= 6000 < answered[0]


async def test_when_no_image_service_can_say_what_it_is_the_first_error_is_the_answer(
    client, services
):
    services.answers["/recognise"] = problem(503, "overloaded")

    response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert services.asked("/predict") == []


async def test_an_image_of_no_known_kind_is_422(client, services):
    services.answers["/recognise"] = httpx2.Response(
        200, json={"looks_like": None, "probabilities": {"other": 0.9}}
    )

    response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (422, "unrecognised_image")
    assert services.asked("/predict") == []


async def test_without_a_ready_image_service_nothing_can_be_recognised(client, services):
    services.ready = False
    await client.app.state.parts.watch.refresh()

    response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")
    assert services.requests == []


async def test_a_recognised_modality_that_is_not_offered_here_is_422(tmp_path, services):
    looks = {"looks_like": "ecg", "probabilities": {"ecg": 0.9}}
    services.answers["/recognise"] = httpx2.Response(200, json=looks)
    upstreams = {"chest-xray": "http://chest-xray:8000"}

    async with open_gateway(tmp_path, services, upstreams=upstreams) as client:
        response = await client.post("/v1/analyze", content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (422, "unrecognised_image")


async def test_an_error_while_explaining_is_a_problem(client, services):
    services.answers["/explain"] = problem(503, "overloaded")

    response = await client.post("/v1/ecg/explanations", content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
