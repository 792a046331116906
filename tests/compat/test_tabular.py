"""GET /symptoms, POST /predict-disease and POST /predict-heart."""

import json

import pytest

from contracts.modality import TriageRow
from contracts.registry import get_modality
from contracts.schemas import Triage
from tests.compat.calls import FACTORS, answer_of, send
from tests.gateway.fakes import problem


def shown(row: TriageRow):
    """A triage row as services send it."""
    return Triage(
        band=row.band, next_step=row.next_step, timeline=row.timeline, source=row.source
    ).model_dump()


async def heart(client, **changes):
    return await client.post("/predict-heart", json=FACTORS | changes)


async def test_DEV_SYMPTOMS_1_the_list_holds_the_ids_that_are_understood(client):
    body = (await client.get("/symptoms")).json()

    terms = get_modality("symptoms").vocabulary
    assert body["success"] is True
    assert body["symptoms"] == [term.id for term in terms]
    cough = next(item for item in body["items"] if item["id"] == "cough")
    assert cough == {"id": "cough", "name": "Cough", "synonyms": ["coughing", "dry cough"]}
    assert body.keys() == {"success", "symptoms", "items"}


async def test_DEV_DISEASE_1_the_list_is_passed_on_and_what_was_understood_comes_back(
    client, services
):
    services.say(
        "symptoms",
        symptoms_recognised=["high_fever", "cough"],
        symptoms_unrecognised=[{"position": 2, "suggestions": ["headache"]}],
    )

    body = await answer_of(client, "/predict-disease")

    (asked,) = services.asked("/predict")
    assert json.loads(asked.content) == {"symptoms": ["fever", "cough", "headache", "fatigue"]}
    assert body["symptoms_analyzed"] == ["high_fever", "cough"]
    assert body["symptoms_unrecognised"] == [{"position": 2, "suggestions": ["headache"]}]


async def test_DEV_DISEASE_2_too_few_symptoms_get_no_ranking(client, services):
    few = {"code": "too_few_symptoms", "message": "At least 3 known symptoms are needed."}
    services.say("symptoms", outcome="abstained", label=None, reasons=[few])

    response = await send(client, "/predict-disease")

    assert response.status_code == 422
    assert response.json()["error"] == "Too few known symptoms"
    assert "top_predictions" not in response.json()


async def test_DEV_DISEASE_2_a_red_flag_goes_before_the_recommendations(client, services):
    flag = get_modality("symptoms").red_flags[0]
    services.say(
        "symptoms",
        warnings=[
            {"code": "unrecognised_entries", "message": "Left out."},
            {"code": "red_flag", "message": flag.message},
        ],
        triage=shown(flag.triage),
    )

    recommendations = (await answer_of(client, "/predict-disease"))["recommendations"]

    assert recommendations[:2] == [flag.message, flag.triage.next_step]
    assert "Left out." not in recommendations


async def test_DEV_DISEASE_2_a_red_flag_without_an_answer_heads_the_problem(client, services):
    flag = {"code": "red_flag", "message": "Get emergency help now."}
    few = {"code": "too_few_symptoms", "message": "Too few."}
    services.say("symptoms", outcome="abstained", label=None, reasons=[flag, few])

    body = (await send(client, "/predict-disease")).json()

    assert (body["code"], body["title"]) == ("red_flag", "Get emergency help now")
    assert body["detail"].startswith("Get emergency help now.")


async def test_DEV_DISEASE_3_diseases_are_those_of_the_model_and_nobody_treats_themselves(client):
    body = await answer_of(client, "/predict-disease")

    names = {label.name for label in get_modality("symptoms").labels}
    assert body["prediction"]["disease"] == "Common cold"
    assert [entry["disease"] for entry in body["top_predictions"]] == [
        "Common cold", "Pneumonia", "Typhoid",
    ]  # fmt: skip
    assert {entry["disease"] for entry in body["top_predictions"]} <= names
    assert body["recommendations"][-1] == "Source: NHS website (nhs.uk), Common cold."
    assert not [word for word in ("hydrated", "rest", "diet") if word in str(body).split()]


async def test_DEV_RISK_1_the_numbers_become_the_words_of_v1(client, services):
    await answer_of(client, "/predict-heart")

    (asked,) = services.asked("/predict")
    assert json.loads(asked.content) == {
        "age": 55,
        "sex": "male",
        "blood_pressure": 145,
        "cholesterol": 250,
        "chest_pain": "atypical_angina",
        "max_heart_rate": 140,
        "exercise_angina": False,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sex", 2),
        ("sex", "1"),
        ("sex", "male"),
        ("sex", True),
        ("sex", 0.5),
        ("exercise_angina", False),
        ("exercise_angina", 2),
        ("chest_pain", 5),
        ("chest_pain", -1),
        ("chest_pain", False),
        ("chest_pain", [1]),
        ("chest_pain", "typical_angina"),
    ],
)
async def test_DEV_RISK_1_a_value_that_is_no_code_is_422(client, services, field, value):
    response = await heart(client, **{field: value})

    body = response.json()
    assert (response.status_code, body["code"], body["field"]) == (422, "invalid_field", field)
    assert services.asked("/predict") == []


async def test_DEV_RISK_1_ranges_and_missing_members_are_judged_by_the_service(client, services):
    services.answers["heart-risk", "/predict"] = problem(422, "out_of_range", field="age")

    response = await heart(client, age=400)

    body = response.json()
    assert (response.status_code, body["code"], body["field"]) == (422, "out_of_range", "age")
    assert json.loads(services.asked("/predict")[0].content)["age"] == 400


@pytest.mark.parametrize(
    "body",
    [b'{"age": NaN}', b'{"thallium": "normal"}', b'{"age": 1, "age": 2}'],
    ids=["nan", "member-of-v1", "doubled"],
)
async def test_DEV_RISK_1_nan_unknown_and_doubled_members_are_422(client, services, body):
    response = await client.post(
        "/predict-heart", content=body, headers={"content-type": "application/json"}
    )

    assert response.status_code == 422
    assert services.asked("/predict") == []


@pytest.mark.parametrize(
    ("code", "name"),
    [(1, "typical_angina"), (2, "atypical_angina"), (3, "non_anginal"), (4.0, "asymptomatic")],
)
async def test_DEV_RISK_2_chest_pain_is_read_by_the_uci_code(client, services, code, name):
    assert (await heart(client, chest_pain=code)).status_code == 200
    assert json.loads(services.asked("/predict")[0].content)["chest_pain"] == name


async def test_DEV_RISK_2_chest_pain_0_is_ambiguous(client, services):
    response = await heart(client, chest_pain=0)

    body = response.json()
    assert (response.status_code, body["code"]) == (422, "ambiguous_code")
    assert (body["field"], body["success"]) == ("chest_pain", False)
    assert services.asked("/predict") == []


@pytest.mark.parametrize(("position", "level"), [(0, "Low"), (1, "Moderate"), (2, "High")])
async def test_DEV_RISK_3_the_words_follow_the_band_of_the_service(
    client, services, position, level
):
    services.say("heart-risk", triage=shown(get_modality("heart-risk").triage[position]))

    body = await answer_of(client, "/predict-heart")

    assert body["prediction"] == {
        "condition": f"{level} probability of angiographic disease in a referred patient",
        "risk_level": level,
        "probability": 0.52,
        "confidence_percent": "52.0%",
    }
    assert body["severity"] == level.lower()


@pytest.mark.parametrize(
    ("factors", "bands"),
    [
        ({"age": 55, "blood_pressure": 145, "cholesterol": 250}, ("moderate", "high", "high")),
        ({"age": 44, "blood_pressure": 120, "cholesterol": 200}, ("low", "moderate", "moderate")),
        ({"age": 45, "blood_pressure": 119, "cholesterol": 199}, ("moderate", "low", "low")),
        ({"age": 54, "sex": 0}, ("low", "high", "high")),
        ({"age": 55, "sex": 0}, ("moderate", "high", "high")),
    ],
)
async def test_DEV_RISK_4_every_band_cites_its_guideline(client, factors, bands):
    found = (await heart(client, **factors)).json()["risk_factors"]

    assert tuple(factor["risk"] for factor in found.values()) == bands
    assert {name: factor["value"] for name, factor in found.items()} == {
        name: (FACTORS | factors)[name] for name in ("age", "blood_pressure", "cholesterol")
    }
    assert all(factor["source"] for factor in found.values())


async def test_DEV_RISK_4_the_recommendation_is_a_next_step_alone(client):
    body = await answer_of(client, "/predict-heart")

    row = get_modality("heart-risk").triage[2]
    assert body["recommendations"] == [
        row.next_step, f"When: {row.timeline}.", f"Source: {row.source}.",
    ]  # fmt: skip
