"""POST /v1/{modality}/reports before services that answer as they should, or do not."""

import io
import json
import logging

import httpx2
import pytest
from pypdf import PdfReader
from sqlalchemy import select

from gateway.report.html import policy
from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import JPEG_BYTES, FakeServices, model_info, open_gateway, prediction
from tests.gateway.fakes import problem as problem_of
from tests.gateway.forms import CONTENT_TYPE, form, part
from tests.gateway.report.cases import png

URL = "/v1/chest-xray/reports"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
def services():
    services = FakeServices()
    picture = httpx2.Response(200, content=png(), headers={"content-type": "image/png"})
    services.answers["/render"] = picture
    return services


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


def rejecting(request):
    """A service that does not take this input."""
    body = prediction(request.content, outcome="rejected", label=None, probabilities={})
    body["reasons"] = [{"code": "quality.blur", "message": "The picture is blurred."}]
    answer = {"prediction": body, "kind": "withheld", "withheld_reason": "There is no answer."}
    return httpx2.Response(200, json=answer)


async def entries_of(client):
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.seq))
        return [json.loads(row.body)["entry"] for row in rows]


def text_of(response):
    pages = PdfReader(io.BytesIO(response.content)).pages
    assert len(pages) == 1
    return " ".join(pages[0].extract_text().split())


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", None, "text/html"),
        ("", "*/*", "text/html"),
        ("", "application/pdf", "application/pdf"),
        ("", "text/html;q=0.4, application/pdf;q=0.9", "application/pdf"),
        ("", "text/html, application/pdf", "text/html"),
        ("?format=pdf", "text/html", "application/pdf"),
        ("?format=html", "application/pdf", "text/html"),
    ],
)
async def test_format_decides_and_otherwise_accept(client, query, accept, media_type):
    headers = JPEG | ({} if accept is None else {"accept": accept})

    response = await client.post(URL + query, content=JPEG_BYTES, headers=headers)

    assert response.status_code == 200
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert response.headers["vary"] == "Accept"
    assert response.headers["cache-control"] == "no-store"


async def test_a_page_has_its_policy_and_a_file_its_name(client):
    html = await client.post(URL, content=JPEG_BYTES, headers=JPEG)
    pdf = await client.post(f"{URL}?format=pdf", content=JPEG_BYTES, headers=JPEG)

    assert html.headers["content-security-policy"] == policy()
    assert "default-src 'none'" in pdf.headers["content-security-policy"]
    (entry,) = [one for one in await entries_of(client) if one["prediction_id"] in html.text]
    expected = f'inline; filename="chest-xray-{entry["prediction_id"]}.html"'
    assert html.headers["content-disposition"] == expected
    assert {"print", "picture", "service"} <= {
        one.partition(";")[0] for one in pdf.headers["server-timing"].split(", ")
    }


async def test_a_form_is_taken_like_a_raw_body(client, services):
    body = form(part("file", JPEG_BYTES, "x.jpg"))

    response = await client.post(URL, content=body, headers={"content-type": CONTENT_TYPE})

    assert response.status_code == 200
    assert services.asked("/explain")[0].content == JPEG_BYTES
    assert services.asked("/render")[0].content == JPEG_BYTES


async def test_options_reach_the_service(client, services):
    await client.post(f"{URL}?prevalence=0.05&use_tta=true", content=JPEG_BYTES, headers=JPEG)

    assert dict(services.asked("/explain")[0].url.params) == {
        "prevalence": "0.05",
        "use_tta": "true",
    }


async def test_a_table_has_a_report_without_a_picture(client, services):
    response = await client.post("/v1/heart-risk/reports", json={"age": 58})

    assert response.status_code == 200
    assert "data:image" not in response.text
    assert services.asked("/render") == []


async def test_a_rejected_input_is_reported_as_such(client, services):
    services.answers["/explain"] = rejecting

    html = await client.post(URL, content=JPEG_BYTES, headers=JPEG)
    pdf = await client.post(f"{URL}?format=pdf", content=JPEG_BYTES, headers=JPEG)

    for text in (html.text, text_of(pdf)):
        assert "The input was not analysed" in text
        assert "The picture is blurred." in text


async def test_there_is_one_record_with_the_answer_for_one_report(client):
    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    (entry,) = await entries_of(client)
    assert entry["route"] == "POST /v1/{modality}/reports"
    assert (entry["status"], entry["outcome"]) == (200, "abstained")
    assert entry["prediction_id"] in response.text
    receipt = await client.get(f"/v1/predictions/{entry['prediction_id']}/receipt")
    assert receipt.status_code == 200


async def test_the_patient_reference_stands_on_the_report_and_nowhere_else(
    tmp_path, services, caplog
):
    reference = "Ward-7/Canary0042"
    with caplog.at_level(logging.DEBUG):
        async with open_gateway(tmp_path, services) as client:
            html = await client.post(
                URL, content=JPEG_BYTES, headers=JPEG | {"X-Patient-Reference": reference}
            )
            (entry,) = await entries_of(client)
            assert entry["patient_hmac"] == client.app.state.store.pseudonym(reference)

    assert reference in html.text
    ours = [one for one in caplog.records if not one.name.startswith(("httpx2", "aiosqlite"))]
    assert not [one for one in ours if "Canary0042" in f"{one.getMessage()} {one.__dict__}"]
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"Canary0042" not in stored


@pytest.mark.parametrize(
    ("url", "headers", "field"),
    [
        (f"{URL}?format=docx", {}, "format"),
        (f"{URL}?form=pdf", {}, None),
        (f"{URL}?format=pdf&format=html", {}, None),
        (URL, {"X-Patient-Reference": "Jane Doe"}, "X-Patient-Reference"),
        (URL, {"X-Patient-Reference": "x" * 65}, "X-Patient-Reference"),
    ],
)
async def test_a_bad_choice_is_refused_without_repeating_it(client, services, url, headers, field):
    response = await client.post(url, content=JPEG_BYTES, headers=JPEG | headers)

    assert response.status_code == 422
    assert response.json()["code"] == "invalid_field"
    assert response.json().get("field") == field
    assert "Jane" not in response.text
    assert services.asked("/explain") == []


@pytest.mark.parametrize("path", ["/explain", "/render", "/model"])
async def test_a_failing_service_is_a_problem_and_no_half_report(client, services, path):
    services.answers[path] = problem_of(503, "model_unavailable")

    response = await client.post(f"{URL}?format=pdf", content=JPEG_BYTES, headers=JPEG)

    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "model_unavailable"


async def test_what_is_no_picture_is_502(client, services):
    services.answers["/render"] = httpx2.Response(
        200, content=b"\x89PNG\r\n\x1a\n no", headers={"content-type": "image/png"}
    )

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert (response.status_code, response.json()["code"]) == (502, "bad_upstream")


async def test_a_model_that_was_replaced_meanwhile_lends_no_figures(client, services):
    other = model_info("chest-xray") | {"sha256": "1" * 64}
    services.answers["/model"] = httpx2.Response(200, json=other)

    response = await client.post(URL, content=JPEG_BYTES, headers=JPEG)

    assert "The figures of this model could not be read." in response.text


async def test_the_document_describes_both_forms(client):
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/{modality}/reports"]["post"]

    assert set(operation["responses"]["200"]["content"]) == {"text/html", "application/pdf"}
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"format", "prevalence", "use_tta", "X-Patient-Reference"} <= names
    listed = (await client.get("/v1/modalities")).json()["modalities"]
    assert listed[0]["routes"]["reports"] == f"/v1/{listed[0]['id']}/reports"
