"""POST /predict, GET /model/info and POST /api/vision/analyze."""

import json
import re

import pytest

from tests.compat.calls import answer_of, send
from tests.gateway.fakes import JPEG_BYTES, PNG_BYTES, problem

PATIENT = "PAT-canary.47_11"


async def post(client, **fields):
    return await send(client, "/predict", data=fields)


async def test_DEV_PREDICT_1_the_answer_serves_the_clients_of_two_services(client, services):
    services.say("chest-xray", {"NORMAL": 0.115, "PNEUMONIA": 0.885})

    body = await answer_of(client, "/predict")
    simple = await answer_of(client, "/predict", params={"format": "simple"})

    assert (body["label"], body["score"]) == (body["prediction"], 0.885)
    assert simple == {"label": "PNEUMONIA", "score": 0.885}


async def test_DEV_PREDICT_1_another_format_is_422(client):
    assert (await send(client, "/predict", params={"format": "full"})).status_code == 422
    twice = [("format", "simple"), ("format", "simple")]
    assert (await send(client, "/predict", params=twice)).status_code == 422


async def test_DEV_PREDICT_2_the_confidence_is_a_percentage_here_alone(client, services):
    services.say("chest-xray", {"NORMAL": 0.115, "PNEUMONIA": 0.885})

    assert (await answer_of(client, "/predict"))["confidence"] == 88.5
    assert (await answer_of(client, "/api/vision/analyze"))["confidence"] == 0.885


async def test_DEV_PREDICT_3_the_patient_is_echoed_in_the_answer_and_kept_only_as_a_hash(
    client, entries
):
    body = (await post(client, patient_id=PATIENT)).json()

    (entry,) = await entries()
    assert body["patient_id"] == PATIENT
    assert entry["patient_hmac"] == client.app.state.store.keyring.pseudonym(PATIENT)
    assert PATIENT not in json.dumps(entry)


async def test_DEV_PREDICT_3_the_patient_is_never_logged(client, capfd, caplog):
    with caplog.at_level("DEBUG"):
        await post(client, patient_id=PATIENT)
        await post(client, patient_id=PATIENT + "/")

    written = capfd.readouterr()
    assert PATIENT not in written.out + written.err + caplog.text


@pytest.mark.parametrize("fields", [{}, {"patient_id": ""}], ids=["absent", "empty"])
async def test_DEV_PREDICT_3_without_a_patient_it_is_null(client, fields):
    assert (await post(client, **fields)).json()["patient_id"] is None


@pytest.mark.parametrize(
    "text",
    ["a" * 65, "PAT 1", "PAT/1", "PÄT", "PAT-1\n", "<b>"],
    ids=["long", "space", "slash", "umlaut", "newline", "markup"],
)
async def test_DEV_PREDICT_3_another_text_is_422_before_anybody_is_asked(client, services, text):
    response = await post(client, patient_id=text)

    body = response.json()
    assert (response.status_code, body["field"]) == (422, "patient_id")
    assert text not in json.dumps(body, ensure_ascii=False)
    assert services.asked("/predict") == []


async def test_DEV_PREDICT_3_an_error_does_not_echo_the_patient(client, services):
    services.reject("chest-xray")

    response = await post(client, patient_id=PATIENT)

    assert response.status_code == 422
    assert PATIENT not in response.text


@pytest.mark.parametrize(
    ("text", "asked"),
    [("true", True), ("True", True), ("1", True), ("FALSE", False), ("False", False), ("0", False)],
)
async def test_DEV_PREDICT_4_use_tta_is_read_in_any_case(client, services, text, asked):
    assert (await post(client, use_tta=text)).status_code == 200

    params = services.asked("/predict")[0].url.params
    assert dict(params) == {"use_tta": "true" if asked else "false"}


@pytest.mark.parametrize("text", ["yes", "", "2", "truee"])
async def test_DEV_PREDICT_4_another_word_is_422(client, services, text):
    response = await post(client, use_tta=text)

    assert (response.status_code, response.json()["field"]) == (422, "use_tta")
    assert services.asked("/predict") == []


async def test_DEV_PREDICT_4_a_model_without_views_says_so_in_a_warning(client, services):
    warning = {"code": "tta_unavailable", "message": "The answer is the ordinary one."}
    services.say("chest-xray", warnings=[warning])

    assert (await post(client, use_tta="true")).json()["warnings"] == ["tta_unavailable"]


async def test_DEV_PREDICT_5_size_is_width_and_height_and_time_is_utc(client):
    body = await answer_of(client, "/predict")

    assert body["image_size"] == [1024, 768]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
    assert body["processing_time_ms"] >= 0


async def test_DEV_INFO_1_the_loaded_model_is_described(client):
    body = (await client.get("/model/info")).json()

    assert body["model_name"] == "EfficientNet-B0"
    assert body["num_parameters"] == 4_010_110
    assert body["class_names"] == ["NORMAL", "PNEUMONIA"]
    assert body["image_size"] == [224, 224]


async def test_DEV_INFO_1_the_size_is_width_and_height(client, services):
    services.describe("chest-xray", input_size=[3, 256, 448])

    assert (await client.get("/model/info")).json()["image_size"] == [448, 256]


async def test_DEV_INFO_2_accuracy_is_that_of_the_test_set_in_percent(client):
    body = (await client.get("/model/info")).json()

    assert body["accuracy"] == 93.91
    assert body["evaluation"] == {
        "split": "test",
        "n": 624,
        "metrics": {"accuracy": 0.9391, "auroc": 0.983},
        "ci95": {"accuracy": [0.92, 0.957], "auroc": [0.974, 0.991]},
    }


async def test_DEV_INFO_2_without_a_test_set_there_is_no_figure(client, services):
    services.describe("chest-xray", metrics={"val": {"n": 3, "all": {}}})

    body = (await client.get("/model/info")).json()

    assert (body["accuracy"], body["evaluation"]) == (None, None)


async def test_DEV_INFO_2_without_a_model_it_is_503(client, services):
    services.answers["chest-xray", "/model"] = problem(503, "model_unavailable")

    response = await client.get("/model/info")

    assert (response.status_code, response.json()["code"]) == (503, "model_unavailable")


async def test_DEV_VISION_1_label_confidence_and_the_known_sentence(client, services):
    services.say("chest-xray", {"NORMAL": 0.05767, "PNEUMONIA": 0.94233})

    body = await answer_of(client, "/api/vision/analyze")

    assert body["prediction"] == "PNEUMONIA"
    assert body["confidence"] == 0.9423
    assert body["disclaimer"] == ("AI-assisted preliminary reading. Clinical correlation required.")


@pytest.mark.parametrize(
    ("payload", "declared", "status"),
    [
        (PNG_BYTES, "application/octet-stream", 200),
        (JPEG_BYTES, "text/plain", 200),
        (b"some text", "image/png", 415),
    ],
)
async def test_DEV_VISION_2_the_bytes_decide_and_not_the_declared_type(
    client, payload, declared, status
):
    response = await client.post("/api/vision/analyze", files={"file": ("a", payload, declared)})

    assert response.status_code == status
