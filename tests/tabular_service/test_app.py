import asyncio
import json
import math
import shutil

import pytest

from serving.health import Phase
from tabular_service.app import create_app

JSON_TYPE = {"Content-Type": "application/json"}


async def test_a_document_is_answered_with_everything_that_v1_promises(heart, man):
    async with heart as http:
        reply = await http.post("/predict", json=man)

    body = reply.json()
    assert reply.status_code == 200
    assert "total" in reply.headers["Server-Timing"]
    assert body["modality"] == "heart-risk"
    assert body["outcome"] == "accepted"
    assert body["label"] in ("no_disease", "disease")
    assert sum(body["probabilities"].values()) == pytest.approx(1.0)
    assert {entry["name"] for entry in body["contributions"]} == set(man)
    assert body["triage"]["source"]
    assert body["measurements"]["block"] == "required"
    assert len(body["model"]["sha256"]) == len(body["input"]["sha256"]) == 64


async def test_optional_columns_bring_the_larger_block_into_play(heart, man):
    async with heart as http:
        reply = await http.post("/predict", json=man | {"thallium": "reversible_defect"})

    body = reply.json()
    assert body["measurements"]["block"] == "all"
    assert "thallium" in {entry["name"] for entry in body["contributions"]}


async def test_the_prevalence_of_the_caller_gives_a_post_test_probability(heart, man):
    async with heart as http:
        reply = await http.post("/predict", params={"prevalence": 0.1}, json=man)
        refused = await http.post("/predict", params={"prevalence": "NaN"}, json=man)

    (found,) = reply.json()["post_test"]
    odds = found["likelihood_ratio"] / 9
    assert found["probability"] == pytest.approx(odds / (1 + odds))
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"age": 400}, "out_of_range", "age"),
        ({"age": -5}, "out_of_range", "age"),
        ({"age": "55"}, "invalid_field", "age"),
        ({"age": True}, "invalid_field", "age"),
        ({"sex": 1}, "invalid_field", "sex"),
        ({"exercise_angina": 0}, "invalid_field", "exercise_angina"),
        ({"cholesterol": None}, "missing_field", "cholesterol"),
    ],
)
async def test_X1_a_bad_value_is_refused_with_field_and_range_but_not_echoed(
    heart, man, change, code, field
):
    async with heart as http:
        reply = await http.post("/predict", json=man | change)

    problem = reply.json()
    assert reply.status_code == 422
    assert reply.headers["Content-Type"] == "application/problem+json"
    assert (problem["code"], problem["field"]) == (code, field)
    assert "400" not in problem["detail"]


@pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
async def test_X1_a_number_that_is_not_finite_is_refused(heart, man, literal):
    body = json.dumps(man | {"age": 0}).replace('"age": 0', f'"age": {literal}')

    async with heart as http:
        reply = await http.post("/predict", content=body, headers=JSON_TYPE)

    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_number")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"symptoms": ' + b"[" * 30_000 + b"]" * 30_000 + b"}", 422),
        (b'{"symptoms": [' + b'"a",' * 100_000 + b'"a"]}', 413),
        (b'{"symptoms": ["' + b"x" * 1_000_000 + b'"]}', 413),
        (b'{"symptoms": [], "symptoms": ["cough"]}', 422),
        (b'\xef\xbb\xbf{"symptoms": []}', 400),
        ('{"symptoms": []}'.encode("utf-16"), 400),
        (b'{"symptoms": ["\\ud800"]}', 422),
        (b'{"symptoms": ["cough"], "is_admin": true}', 422),
        (b"", 400),
        (b"[]", 422),
    ],
)
async def test_X2_X4_hostile_json_is_a_client_error_with_a_problem_body(symptoms, body, status):
    async with symptoms as http:
        reply = await http.post("/predict", content=body, headers=JSON_TYPE)

    assert reply.status_code == status
    assert reply.json()["request_id"]
    assert len(reply.content) < 4096


async def test_another_media_type_is_refused(symptoms):
    async with symptoms as http:
        reply = await http.post(
            "/predict", content=b'{"symptoms": []}', headers={"Content-Type": "text/csv"}
        )

    assert (reply.status_code, reply.json()["code"]) == (415, "unsupported_media_type")


async def test_X3_unknown_words_come_back_as_positions_and_suggestions_only(symptoms):
    canary = "qqheadachqq"

    async with symptoms as http:
        reply = await http.post("/predict", json={"symptoms": ["cough", "hedache", canary]})

    body = reply.json()
    assert reply.status_code == 200
    assert body["symptoms_recognised"] == ["cough"]
    assert body["symptoms_unrecognised"][0]["position"] == 1
    assert "headache" in body["symptoms_unrecognised"][0]["suggestions"]
    assert canary not in reply.text
    assert body["outcome"] == "abstained"
    assert body["reasons"][0]["code"] == "too_few_symptoms"
    assert body["label"] is None


async def test_the_explanation_holds_the_prediction_and_the_sum_of_its_parts(heart, man):
    async with heart as http:
        reply = await http.post("/explain", json=man)

    body = reply.json()
    p = body["prediction"]["probabilities"]["disease"]
    parts = sum(entry["contribution"] for entry in body["prediction"]["contributions"])
    assert body["kind"] == "contributions"
    assert body["checks"]["log_odds"] == pytest.approx(body["checks"]["baseline_log_odds"] + parts)
    assert math.log(p / (1 - p)) == pytest.approx(body["checks"]["log_odds"])


@pytest.mark.parametrize(
    ("route", "query", "warned"),
    [
        ("/predict", "?use_tta=true", True),
        ("/explain", "?use_tta=true", True),
        ("/predict", "?use_tta=false", False),
        ("/predict", "", False),
    ],
)
async def test_views_that_a_table_does_not_have_are_a_warning(heart, man, route, query, warned):
    async with heart as http:
        body = (await http.post(f"{route}{query}", json=man)).json()

    warnings = body.get("prediction", body)["warnings"]
    assert ("tta_unavailable" in [warning["code"] for warning in warnings]) is warned


async def test_model_and_card_are_shown(symptoms):
    async with symptoms as http:
        model = (await http.get("/model")).json()
        card = await http.get("/model/card", params={"format": "markdown"})

    assert model["backend"] == "scikit-learn"
    assert model["threads"] == {"compute": 1, "infer_workers": 1}
    assert len(model["labels"]) == 41
    assert "synthetic" in card.text


async def test_answers_and_outcomes_are_counted(symptoms):
    async with symptoms as http:
        await http.post(
            "/predict", json={"symptoms": ["itching", "skin_rash", "nodal_skin_eruptions"]}
        )
        metrics = (await http.get("/metrics")).text

    assert 'predictions_total{outcome="accepted"} 1.0' in metrics


async def test_C9_without_a_file_the_process_lives_and_says_so(settings_for, opened, tmp_path):
    app = create_app(settings_for("symptoms", checkpoint=tmp_path / "v1.skops"))

    async with opened(app) as http:
        alive, ready = await http.get("/livez"), await http.get("/readyz")
        reply = await http.post("/predict", json={"symptoms": ["cough"]})

    assert (alive.status_code, ready.status_code) == (200, 503)
    assert ready.json()["reason"] == "model_missing"
    assert (reply.status_code, reply.json()["code"]) == (503, "model_unavailable")


async def test_C2_a_flipped_byte_stops_the_process(settings_for, opened, symptoms_file, tmp_path):
    for path in symptoms_file.parent.iterdir():
        shutil.copy(path, tmp_path)
    damaged = bytearray((tmp_path / "v1.skops").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "v1.skops").write_bytes(damaged)
    app = create_app(settings_for("symptoms", checkpoint=tmp_path / "v1.skops"))

    async with opened(app) as http:
        ready = await http.get("/readyz")

    assert ready.json()["reason"] == "model_refused"
    assert app.state.shell.health.exit_code == 78


async def test_the_file_of_another_modality_stops_the_process(settings_for, opened, heart_file):
    app = create_app(settings_for("symptoms", checkpoint=heart_file))

    async with opened(app):
        assert app.state.shell.health.exit_code == 78


def test_an_image_modality_is_no_table(settings_for):
    with pytest.raises(ValueError, match="not answered"):
        create_app(settings_for("chest-xray"))


async def test_golden_cases_run_again_and_again(settings_for, opened):
    app = create_app(settings_for("heart-risk", qc_interval_seconds=0.01))

    async with opened(app) as http:
        for _ in range(200):
            text = (await http.get("/metrics")).text
            if "quality_control_runs_total 0.0" not in text:
                break
            await asyncio.sleep(0.02)

    assert "quality_control_runs_total 0.0" not in text
    assert app.state.shell.health.phase is Phase.DRAINING


async def test_after_a_failed_control_nothing_is_answered_until_one_passes(
    settings_for, opened, man
):
    app = create_app(settings_for("heart-risk"))
    health = app.state.shell.health

    async with opened(app) as http:
        health.mark_failed("quality_control_failed")
        failed = await http.post("/predict", json=man)
        health.mark_ready()
        passed = await http.post("/predict", json=man)

    assert (failed.status_code, failed.json()["code"]) == (503, "model_unavailable")
    assert passed.status_code == 200


async def test_with_a_token_only_the_gateway_is_answered(settings_for, opened, man):
    token = "t" * 32
    app = create_app(settings_for("heart-risk", internal_token=token))

    async with opened(app) as http:
        denied = await http.post("/predict", json=man)
        allowed = await http.post(
            "/predict", json=man, headers={"Authorization": f"Bearer {token}"}
        )

    assert (denied.status_code, allowed.status_code) == (401, 200)
