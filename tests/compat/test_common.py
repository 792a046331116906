"""What all earlier routes have in common."""

import httpx2
import pytest

from contracts.registry import get_modality
from gateway.caller import USUAL_SCOPES
from gateway.compat.successors import SUCCESSORS
from gateway.documents import ANALYSIS_ERRORS
from gateway.keys import KeyStore
from tests.compat.answers import Services
from tests.compat.calls import FLAGGED, MODALITIES, PICTURES, answer_of, send
from tests.gateway.fakes import JPEG_BYTES, PNG_BYTES, ZIP_BYTES, open_gateway, problem

PATHS = sorted(MODALITIES)
CANARY = "canary-4711"


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_01_an_error_is_a_problem_that_repeats_nothing(client, services, path):
    services.answers[MODALITIES[path], "/predict"] = problem(422, "image_undecodable")

    response = await send(client, path)

    body = response.json()
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert (body["code"], body["retryable"]) == ("image_undecodable", False)
    assert body["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("upstream", "status"),
    [
        (problem(503, "overloaded"), 503),
        (problem(500, "internal_error"), 502),
        (httpx2.Response(200, text="<html>"), 502),
    ],
    ids=["busy", "broken", "no-answer"],
)
async def test_DEV_01_a_fault_of_the_service_keeps_the_status_of_v1(
    client, services, path, upstream, status
):
    services.answers[MODALITIES[path], "/predict"] = upstream

    response = await send(client, path)

    assert response.status_code == status
    assert response.json()["retryable"] is True


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_01_only_clients_that_look_for_success_are_told_of_failure(
    client, services, path
):
    services.answers[MODALITIES[path], "/predict"] = problem(422, "image_undecodable")

    response = await send(client, path)

    body = response.json()
    flags = {name: body[name] for name in ("success", "error") if name in body}
    assert flags == ({"success": False, "error": body["title"]} if path in FLAGGED else {})
    assert int(response.headers["content-length"]) == len(response.content)


async def test_DEV_01_errors_of_outer_layers_are_flagged_too(own):
    wrong_method = await own.get("/analyze/skin")
    await own.app.state.store.audit.__aexit__()
    no_record = await send(own, "/analyze/skin")

    for response, status in ((wrong_method, 405), (no_record, 503)):
        assert response.status_code == status
        assert response.json()["success"] is False
        assert response.json()["error"] == response.json()["title"]


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b'{"' + CANARY.encode() + b'": 1}', 422)],
    ids=["malformed", "no-object", "unknown-member"],
)
async def test_DEV_01_a_bad_body_is_400_or_422_and_is_not_repeated(client, body, status):
    response = await client.post(
        "/predict-heart", content=body, headers={"content-type": "application/json"}
    )

    assert response.status_code == status
    assert CANARY not in response.text


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_02_every_answer_names_outcome_request_model_and_notice(client, path):
    response = await send(client, path)

    body = response.json()
    assert body["outcome"] == "accepted"
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["model"] == {"name": f"{MODALITIES[path]}-efficientnet_b0", "version": "v1"}
    if path != "/api/vision/analyze":
        assert body["disclaimer"] == get_modality(MODALITIES[path]).notice


@pytest.mark.parametrize("path", sorted(PICTURES))
async def test_DEV_03_a_rejected_input_is_a_422_with_outcome_and_reasons(client, services, path):
    services.reject(MODALITIES[path], looks_like="symptoms")

    response = await send(client, path)

    body = response.json()
    assert response.status_code == 422
    assert body["code"] == "wrong_modality"
    assert (body["outcome"], body["reasons"]) == ("rejected", ["wrong_modality"])
    assert body["looks_like"] == "symptoms"
    assert body["title"].startswith("Not recognised as")
    assert "prediction" not in body


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_03_an_abstained_answer_is_a_422_without_scores(client, services, path):
    services.say(
        MODALITIES[path],
        outcome="abstained",
        label=None,
        reasons=[
            {"code": "unusual_input", "message": "Unusual."},
            {"code": "low_confidence", "message": "Not sure."},
        ],
    )

    response = await send(client, path)

    body = response.json()
    assert response.status_code == 422
    assert (body["outcome"], body["code"]) == ("abstained", "unusual_input")
    assert body["reasons"] == ["unusual_input", "low_confidence"]
    assert body["detail"] == "Unusual. Not sure."
    assert not {"prediction", "probabilities", "confidence", "score"} & body.keys()


@pytest.mark.parametrize("path", PATHS)
async def test_DEV_04_without_a_model_there_is_no_answer_to_demonstrate(client, services, path):
    services.answers[MODALITIES[path], "/predict"] = problem(503, "model_unavailable")

    response = await send(client, path)

    assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")
    assert "retry-after" in response.headers
    assert "demo_mode" not in response.text


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


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "changes",
    [
        {"label": None},
        {"probabilities": {}},
        {"outcome": "abstained", "label": None, "reasons": []},
    ],
    ids=["no-label", "no-probabilities", "no-reason"],
)
async def test_an_answer_that_cannot_be_translated_is_502(client, services, path, changes):
    services.say(MODALITIES[path], **changes)

    response = await send(client, path)

    assert (response.status_code, response.json()["code"]) == (502, "bad_upstream")


@pytest.mark.parametrize("path", FLAGGED)
async def test_an_answer_without_triage_is_502(client, services, path):
    services.say(MODALITIES[path], triage=None)

    assert (await send(client, path)).status_code == 502


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
