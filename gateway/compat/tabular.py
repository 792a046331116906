"""GET /symptoms, POST /predict-disease and POST /predict-heart: JSON of earlier clients."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from fastapi import APIRouter, Depends, Request, Response

from contracts.errors import UnknownModality
from contracts.tables import Json, parse_json_object
from gateway.compat.advice import recommendation_list_of, triage_of
from gateway.compat.answer import common, confidence, percent, rounded
from gateway.compat.asking import accepted, offered
from gateway.compat.codes import HEART_SCHEMA, to_v1
from gateway.compat.forms import json_body, route_facts
from gateway.compat.risk_factors import risk_factors
from gateway.compat.rows import DiseaseAnswer, HeartRiskAnswer, Symptom, Symptoms
from gateway.dependencies import PartsDep, no_query, question_of
from gateway.documents import ANALYSIS_ERRORS, READ_ERRORS
from gateway.question import NO_OPTIONS, Question

TOP = 3
_SYMPTOMS = json_body(
    {
        "type": "object",
        "properties": {"symptoms": {"type": "array", "items": {"type": "string"}}},
        "required": ["symptoms"],
        "additionalProperties": False,
    },
    {"symptoms": ["fever", "cough", "headache", "fatigue"]},
)
_HEART = json_body(
    HEART_SCHEMA,
    {
        "age": 55,
        "sex": 1,
        "blood_pressure": 145,
        "cholesterol": 250,
        "chest_pain": 2,
        "max_heart_rate": 140,
        "exercise_angina": 0,
    },
)

router = APIRouter(dependencies=[Depends(no_query)])


@router.get("/symptoms", response_model=Symptoms, **route_facts(READ_ERRORS))
async def symptoms(parts: PartsDep) -> Symptoms:
    """List the symptoms; see /v1/symptoms."""
    terms = [term for modality in parts.modalities for term in modality.vocabulary]
    if not terms:
        raise UnknownModality("No modality with a vocabulary is offered here.")
    return Symptoms(
        symptoms=[term.id for term in terms],
        items=[Symptom(id=term.id, name=term.name, synonyms=list(term.synonyms)) for term in terms],
    )


@router.post(
    "/predict-disease", response_model=DiseaseAnswer, **route_facts(ANALYSIS_ERRORS, _SYMPTOMS)
)
async def predict_disease(request: Request, parts: PartsDep) -> Response:
    """Rank diseases for a list of symptoms; see /v1/symptoms/predictions."""
    modality = offered(request, parts, "symptoms")
    async with question_of(request, parts, modality, NO_OPTIONS) as question:
        found = await accepted(request, parts, question)
    prediction = found.prediction
    names = {label.code: label.name for label in modality.labels}
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    flags = [warning.message for warning in prediction.warnings if warning.code == "red_flag"]
    answer = DiseaseAnswer(
        **common(found),
        prediction={
            "disease": names[found.label],
            **confidence(prediction.probabilities[found.label]),
        },
        top_predictions=[
            {"disease": names[code], "probability": rounded(p)} for code, p in ranked[:TOP]
        ],
        symptoms_analyzed=prediction.symptoms_recognised,
        symptoms_unrecognised=prediction.symptoms_unrecognised,
        recommendations=flags + recommendation_list_of(triage_of(prediction)),
    )
    return found.respond(answer)


@router.post(
    "/predict-heart", response_model=HeartRiskAnswer, **route_facts(ANALYSIS_ERRORS, _HEART)
)
async def predict_heart(request: Request, parts: PartsDep) -> Response:
    """Give the probability of angiographic disease; see /v1/heart-risk/predictions."""
    modality = offered(request, parts, "heart-risk")
    async with question_of(request, parts, modality, NO_OPTIONS) as question:
        row = to_v1(parse_json_object(question.upload.payload))
        found = await accepted(request, parts, _with_row(question, row))
    triage = triage_of(found.prediction)
    probability = found.prediction.probabilities["disease"]
    level = triage.band.capitalize()
    answer = HeartRiskAnswer(
        **common(found),
        prediction={
            "condition": f"{level} probability of angiographic disease in a referred patient",
            "risk_level": level,
            "probability": rounded(probability),
            "confidence_percent": percent(probability),
        },
        risk_factors=risk_factors(row),
        severity=triage.band,
        recommendations=recommendation_list_of(triage),
    )
    return found.respond(answer)


def _with_row(question: Question, row: dict[str, Json]) -> Question:
    """The same question with the row in the names of /v1."""
    payload = json.dumps(row, separators=(",", ":")).encode()
    digest = hashlib.sha256(payload).hexdigest()
    return replace(question, upload=replace(question.upload, payload=payload, sha256=digest))
