"""What all earlier routes have in common."""

import pytest

from contracts.registry import get_modality
from gateway.caller import USUAL_SCOPES
from gateway.compat.successors import SUCCESSORS
from gateway.documents import ANALYSIS_ERRORS
from gateway.keys import KeyStore
from tests.compat.answers import Services
from tests.compat.calls import MODALITIES, PICTURES, answer_of, send
from tests.gateway.fakes import JPEG_BYTES, PNG_BYTES, ZIP_BYTES, open_gateway

PATHS = sorted(MODALITIES)
CANARY = "canary-4711"


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_02_every_answer_names_outcome_request_model_and_notice(client, path):
    response = await send(client, path)

    body = response.json()
    assert body["outcome"] == "accepted"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["model"] == {"name": f"{MODALITIES[path]}-efficientnet_b0", "version": "v1"}
    if path != "/api/vision/analyze":
        assert body["disclaimer"] == get_modality(MODALITIES[path]).notice


async def test_DEV_05_the_confidence_is_the_calibrated_probability(client, services):
    services.say("chest-xray", {"NORMAL": 0.3, "PNEUMONIA": 0.7})

    body = await answer_of(client, "/analyze/xray")

    assert body["prediction"] == {
        "name": "Pneumonia", "confidence": 0.7, "confidence_percent": "70.0%",
    }  # fmt: skip


@pytest.mark.parametrize("path", sorted(PICTURES))
async def test_DEV_06_a_form_field_of_another_name_is_refused(client, services, path):
    other = {"image": "file", "file": "image"}[PICTURES[path][0]]

    response = await client.post(path, files={other: ("a.jpg", JPEG_BYTES)})

    assert (response.status_code, response.json()["code"]) == (422, "invalid_field")
    assert services.asked("/predict") == []


@pytest.mark.parametrize("path", sorted(PICTURES))
async def test_DEV_06_exactly_one_file_is_taken_and_no_unknown_part(client, services, path):
    field = PICTURES[path][0]
    one = (field, ("a.jpg", JPEG_BYTES))

    twice = await client.post(path, files=[one, one])
    more = await client.post(path, files=[one], data={CANARY: "1"})
    none = await client.post(path, files={"": ("a.jpg", JPEG_BYTES)})
    raw = await client.post(path, content=JPEG_BYTES, headers={"content-type": "image/jpeg"})

    assert [r.status_code for r in (twice, more, none, raw)] == [422, 422, 422, 415]
    assert CANARY not in more.text
    assert services.asked("/predict") == []


@pytest.mark.parametrize("path", sorted(PICTURES))
@pytest.mark.parametrize(
    ("payload", "status"),
    [
        (PNG_BYTES, 200),
        (ZIP_BYTES, 415),
        (b"GIF89a", 415),
        (b"BM", 415),
        (b"RIFF....WEBP", 415),
        (b"II*\0", 415),
    ],
    ids=["png", "zip", "gif", "bmp", "webp", "tiff"],
)
async def test_DEV_07_the_bytes_say_whether_it_is_a_jpeg_or_png(client, path, payload, status):
    assert (await send(client, path, payload)).status_code == status


async def test_DEV_07_more_than_32_megabytes_are_not_received(client):
    response = await client.post(
        "/analyze/skin",
        content=b"",
        headers={
            "content-type": "multipart/form-data; boundary=b",
            "content-length": str(33 * 1024 * 1024),
        },
    )

    assert response.status_code == 413
    assert response.json()["success"] is False


async def test_DEV_08_only_an_origin_on_the_list_may_call(tmp_path):
    origin = "https://ward.example"
    asking = {"access-control-request-method": "POST"}
    async with open_gateway(tmp_path, Services(), cors_origins=(origin,)) as client:
        known = await client.options("/analyze/skin", headers=asking | {"origin": origin})
        unknown = await client.options(
            "/analyze/skin", headers=asking | {"origin": "https://elsewhere.example"}
        )

    assert known.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in unknown.headers


async def test_DEV_09_where_keys_are_needed_the_earlier_routes_need_one(own):
    made = await KeyStore(own.app.state.store.database).make("ward", USUAL_SCOPES)

    refused = await send(own, "/analyze/skin")
    taken = await send(own, "/analyze/skin", headers={"x-api-key": made.clear})

    assert (refused.status_code, refused.json()["success"]) == (401, False)
    assert taken.status_code == 200


@pytest.mark.parametrize("path", sorted(SUCCESSORS))
async def test_DEV_10_every_answer_names_the_successor(client, path):
    document = (await client.get("/openapi.json")).json()
    response = await (send(client, path) if path in MODALITIES else client.get(path))

    assert response.status_code == 200
    assert response.headers["deprecation"].startswith("@")
    link = response.headers["link"]
    assert link == f'<{SUCCESSORS[path]}>; rel="successor-version"'
    assert _templated(SUCCESSORS[path]) in document["paths"]


async def test_DEV_10_a_refusal_names_the_successor_and_a_current_route_has_none(client):
    refused = await client.post("/predict", content=b"")
    current = await client.get("/health")

    assert refused.status_code == 415
    assert "successor-version" in refused.headers["link"]
    assert "deprecation" not in current.headers


async def test_DEV_10_the_document_marks_the_earlier_routes_as_deprecated(client):
    paths = (await client.get("/openapi.json")).json()["paths"]
    marked = {
        path
        for path, operations in paths.items()
        for operation in operations.values()
        if operation.get("deprecated")
    }

    assert marked == SUCCESSORS.keys()
    for path in MODALITIES:
        (operation,) = paths[path].values()
        assert operation["tags"] == ["compatibility"]
        assert operation["responses"].keys() == {"200", *map(str, ANALYSIS_ERRORS)}


@pytest.mark.parametrize("path", ["/analyze/skin", "/analyze/heart", "/analyze/breast"])
async def test_DEV_11_a_class_is_named_and_numbered_as_in_the_registry(client, path):
    labels = get_modality(MODALITIES[path]).labels

    prediction = (await answer_of(client, path))["prediction"]

    assert prediction["name"] == labels[prediction["class_id"]].name


@pytest.mark.parametrize("path", PATHS)
async def test_a_question_is_recorded_and_repeatable_like_one_of_v1(
    client, services, entries, path
):
    key = {"idempotency-key": "k-1"}

    first = await answer_of(client, path, headers=key)
    again = await send(client, path, headers=key)

    (made, replayed) = await entries()
    assert (made["route"], made["status"]) == (f"POST {path}", 200)
    assert (made["modality"], made["outcome"]) == (MODALITIES[path], "accepted")
    assert replayed["refers_to"] == made["prediction_id"]
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json()["model"] == first["model"]
    assert len(services.asked("/predict")) == 1


async def test_a_refused_input_is_recorded_with_its_outcome_and_reason(client, services, entries):
    services.reject("skin-lesion")
    await send(client, "/analyze/skin")

    (entry,) = await entries()

    assert (entry["status"], entry["outcome"]) == (422, "rejected")
    assert entry["error_code"] == "wrong_modality"


@pytest.mark.parametrize("path", sorted(SUCCESSORS))
async def test_an_unknown_query_parameter_is_422(client, path):
    query = {"params": {CANARY: "1"}}
    response = await (
        send(client, path, **query) if path in MODALITIES else client.get(path, **query)
    )

    assert response.status_code == 422
    assert CANARY not in response.text


async def test_a_modality_that_is_not_offered_is_404(tmp_path):
    upstreams = {"ecg": "http://ecg.internal:9000"}
    others = [path for path in PATHS if MODALITIES[path] != "ecg"]
    async with open_gateway(tmp_path, Services(), upstreams=upstreams) as client:
        posted = [await send(client, path) for path in others]
        read = [await client.get(path) for path in ("/symptoms", "/model/info")]

    assert {(r.status_code, r.json()["code"]) for r in posted + read} == {(404, "unknown_modality")}


def _templated(path):
    """The route of /v1 that takes a path."""
    parts = path.split("/")
    return "/".join([*parts[:2], "{modality}", parts[3]]) if len(parts) == 4 else path
