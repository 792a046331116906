"""The routes /analyze/…"""

import httpx2
import pytest

from contracts.registry import get_modality
from tests.compat.calls import answer_of, send
from tests.gateway.fakes import ZIP_BYTES, problem

REASSURING = ("healthy", "non-cancerous", "screening", "self-exam", "no treatment", "vaccination")
BANDS = ("low", "moderate", "high", "urgent")


def row(modality_id, label):
    """The reviewed triage row of a label."""
    return next(row for row in get_modality(modality_id).triage if row.label == label)


@pytest.mark.parametrize(
    "path", ["/analyze/skin", "/analyze/heart", "/analyze/breast", "/analyze/xray"]
)
async def test_nothing_reassures_and_nobody_is_treated(client, path):
    """DEV-SKIN-2, DEV-ECG-3, DEV-BREAST-4, DEV-XRAY-1"""
    response = await send(client, path)

    assert not [word for word in REASSURING if word in response.text.lower()]
    assert response.json()["severity"] in BANDS


async def test_DEV_SKIN_1_a_picture_stages_and_treats_nobody(client):
    body = await answer_of(client, "/analyze/skin")

    assert (body["staging"], body["treatment_options"]) == (None, [])


async def test_DEV_SKIN_2_the_texts_are_those_of_the_reviewed_row(client):
    body = await answer_of(client, "/analyze/skin")

    reviewed = row("skin-lesion", "nv")
    assert body["severity"] == body["recommendations"]["level"] == reviewed.band
    assert body["urgency"] == {
        "timeline": reviewed.timeline, "action": reviewed.next_step, "color": "green",
    }  # fmt: skip
    assert body["recommendations"]["actions"] == [reviewed.next_step]
    assert body["recommendations"]["source"] == reviewed.source


async def test_DEV_SKIN_3_the_three_most_probable_classes_in_order(client):
    body = await answer_of(client, "/analyze/skin")

    assert body["all_predictions"] == [
        {"name": "Melanocytic Nevi", "confidence": 0.89},
        {"name": "Benign Keratosis", "confidence": 0.06},
        {"name": "Dermatofibroma", "confidence": 0.02},
    ]
    assert body["prediction_set"] == ["bkl", "nv"]
    assert body["malignant_or_premalignant"] == pytest.approx(0.025)


async def test_DEV_SKIN_4_the_level_is_that_of_the_worst_class_in_the_set(client, services):
    services.say("skin-lesion", {"nv": 0.9, "mel": 0.06})

    body = await answer_of(client, "/analyze/skin")

    assert body["prediction"]["name"] == "Melanocytic Nevi"
    assert "mel" in body["prediction_set"]
    assert body["severity"] == body["recommendations"]["level"] == "urgent"
    assert body["urgency"]["color"] == "red"


async def test_DEV_ECG_1_every_label_is_a_finding_with_its_threshold(client, services):
    services.say("ecg", {"NORM": 0.1, "MI": 0.2, "STTC": 0.7, "CD": 0.6, "HYP": 0.05})

    body = await answer_of(client, "/analyze/heart")

    assert [finding["label"] for finding in body["findings"]] == list(get_modality("ecg").codes)
    assert [finding["positive"] for finding in body["findings"]] == [
        False,
        False,
        True,
        True,
        False,
    ]
    assert (body["prediction"]["class_id"], body["prediction"]["name"]) == (2, "ST/T change")


async def test_DEV_ECG_2_an_abnormal_label_goes_before_normal(client, services):
    services.say("ecg", {"NORM": 0.9, "MI": 0.6, "STTC": 0.1, "CD": 0.1, "HYP": 0.1})

    assert (await answer_of(client, "/analyze/heart"))["prediction"]["class_id"] == 1


async def test_DEV_ECG_2_without_a_label_above_its_threshold_there_is_no_answer(client, services):
    services.say("ecg", {"NORM": 0.4, "MI": 0.3, "STTC": 0.1, "CD": 0.1, "HYP": 0.1})

    response = await send(client, "/analyze/heart")

    assert response.status_code == 422
    assert response.json()["outcome"] == "abstained"
    assert response.json()["reasons"] == ["no_label_positive"]


async def test_DEV_ECG_3_a_normal_ecg_does_not_exclude_disease(client):
    body = await answer_of(client, "/analyze/heart")

    assert body["severity"] == "low"
    assert "does not exclude" in body["urgency"]["action"]
    assert (body["staging"], body["treatment_options"]) == (None, [])


async def test_DEV_ECG_4_this_route_takes_no_record(client, services):
    assert (await send(client, "/analyze/heart", ZIP_BYTES)).status_code == 415
    assert services.asked("/predict") == []


@pytest.mark.parametrize(("label", "class_id"), [("normal", 0), ("benign", 1), ("malignant", 2)])
async def test_DEV_BREAST_1_there_are_three_classes(client, services, label, class_id):
    shares = dict.fromkeys(("normal", "benign", "malignant"), 0.1) | {label: 0.8}
    services.say("breast-ultrasound", shares)

    assert (await answer_of(client, "/analyze/breast"))["prediction"]["class_id"] == class_id


async def test_DEV_BREAST_2_the_category_follows_from_the_probability_of_malignancy(client):
    body = await answer_of(client, "/analyze/breast")

    assert body["prediction"]["birads"] == "BI-RADS 4A (estimate)"
    assert body["malignancy_probability"] == 0.04
    assert body["birads_is_estimate"] is True


@pytest.mark.parametrize(
    ("metrics", "category"),
    [
        ({"calibration": {"lowest_supported": {"malignant": 0.01}}}, "2"),
        ({"calibration": {"lowest_supported": {"malignant": 0.001}}}, "3"),
        ({"calibration": {"lowest_supported": {"malignant": "0.01"}}}, "3"),
        ({"calibration": {"n": 100}}, "3"),
        ({"calibration": None}, "3"),
        ({}, "3"),
    ],
    ids=["supported", "below", "no-number", "not-said", "null", "empty"],
)
async def test_DEV_BREAST_2_a_clear_category_needs_the_support_of_the_model_file(
    client, services, metrics, category
):
    services.say("breast-ultrasound", {"normal": 0.095, "benign": 0.9, "malignant": 0.005})
    services.describe("breast-ultrasound", metrics=metrics)

    body = await answer_of(client, "/analyze/breast")

    assert body["prediction"]["birads"] == f"BI-RADS {category} (estimate)"


@pytest.mark.parametrize(
    "other",
    [{"sha256": "1" * 64}, None],
    ids=["another-model", "silent-service"],
)
async def test_DEV_BREAST_2_support_counts_only_when_it_is_that_of_the_same_file(
    client, services, other
):
    services.say("breast-ultrasound", {"normal": 0.095, "benign": 0.9, "malignant": 0.005})
    supported = {"calibration": {"lowest_supported": {"malignant": 0.01}}}
    if other is None:
        services.answers["breast-ultrasound", "/model"] = problem(503, "model_unavailable")
    else:
        services.describe("breast-ultrasound", metrics=supported, **other)

    body = await answer_of(client, "/analyze/breast")

    assert body["prediction"]["birads"] == "BI-RADS 3 (estimate)"


async def test_DEV_BREAST_3_a_mammogram_is_refused(client, services):
    services.reject("breast-ultrasound")

    response = await send(client, "/analyze/breast")

    assert (response.status_code, response.json()["code"]) == (422, "wrong_modality")
    assert response.json()["title"] == "Not recognised as: Breast ultrasound"


async def test_DEV_BREAST_4_the_recommendation_has_a_source(client):
    body = await answer_of(client, "/analyze/breast")

    reviewed = row("breast-ultrasound", "benign")
    assert body["staging"] is None
    assert body["recommendations"]["source"] == reviewed.source
    assert body["recommendations"]["actions"] == [reviewed.next_step]


async def test_DEV_XRAY_1_a_clear_film_does_not_exclude_pneumonia(client):
    body = await answer_of(client, "/analyze/xray")

    assert body["severity"] == "low"
    assert "does not exclude pneumonia" in body["recommendations"][0]
    assert body["recommendations"][-1] == f"Source: {row('chest-xray', 'NORMAL').source}."


@pytest.mark.parametrize(("code", "name"), [("NORMAL", "Normal"), ("PNEUMONIA", "Pneumonia")])
async def test_DEV_XRAY_2_the_name_is_normal_or_pneumonia(client, services, code, name):
    services.say("chest-xray", {"NORMAL": 0.05, "PNEUMONIA": 0.05} | {code: 0.95})

    assert (await answer_of(client, "/analyze/xray"))["prediction"]["name"] == name


async def test_DEV_XRAY_2_a_film_unlike_the_training_data_gets_no_name(client, services):
    services.reject("chest-xray", code="out_of_distribution", message="Films of adults are.")

    response = await send(client, "/analyze/xray")

    assert response.status_code == 422
    assert response.json()["detail"] == "Films of adults are."
    assert response.json()["error"] == "Unlike the data this model was made for"


async def test_the_model_is_asked_about_its_support_only_where_it_matters(client, services):
    await answer_of(client, "/analyze/breast")

    assert services.asked("/model") == []


async def test_a_broken_description_does_not_take_the_answer(client, services):
    services.say("breast-ultrasound", {"normal": 0.095, "benign": 0.9, "malignant": 0.005})
    services.answers["breast-ultrasound", "/model"] = httpx2.Response(200, text="<html>")

    assert (await answer_of(client, "/analyze/breast"))["prediction"]["class_id"] == 1
