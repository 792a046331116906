"""Errors and refusals of the earlier routes."""

import httpx2
import pytest

from tests.compat.calls import FLAGGED, MODALITIES, PICTURES, send
from tests.gateway.fakes import problem

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
