"""POST /analyze/skin, /heart, /breast, /xray: a picture in the form field `image`."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response

from contracts.errors import ServiceError
from gateway.compat.advice import (
    brief_recommendations_of,
    coloured_urgency_of,
    recommendation_list_of,
    recommendations_of,
    triage_of,
    urgency_of,
)
from gateway.compat.answer import common, confidence, rounded
from gateway.compat.asking import Accepted, accepted, offered, picture_form
from gateway.compat.birads import PROBABLY_BENIGN, birads_estimate
from gateway.compat.forms import form_body, route_facts
from gateway.compat.pictures import (
    BreastAnswer,
    ChestAnswer,
    HeartAnswer,
    SkinAnswer,
)
from gateway.dependencies import Parts, PartsDep, no_query, question_of
from gateway.documents import ANALYSIS_ERRORS
from gateway.question import NO_OPTIONS
from serving.scope import request_id_of

FIELD = "image"
TOP = 3
#: Time for a service to say what its calibration cases support.
DESCRIBE_SECONDS = 1.0

router = APIRouter(dependencies=[Depends(no_query)])
_FACTS = route_facts(ANALYSIS_ERRORS, form_body(FIELD))


@router.post("/analyze/skin", response_model=SkinAnswer, **_FACTS)
async def skin(request: Request, parts: PartsDep) -> Response:
    """Analyse a dermoscopic photograph; see /v1/skin-lesion/predictions."""
    found = await _ask(request, parts, "skin-lesion")
    prediction, triage = found.prediction, triage_of(found.prediction)
    names = {label.code: label.name for label in found.modality.labels}
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    answer = SkinAnswer(
        **common(found),
        prediction=_named(found) | {"type": found.modality.labels[_index(found)].group},
        severity=triage.band,
        urgency=coloured_urgency_of(triage),
        all_predictions=[
            {"name": names[code], "confidence": rounded(p)} for code, p in ranked[:TOP]
        ],
        recommendations=recommendations_of(triage),
        prediction_set=prediction.prediction_set,
        malignant_or_premalignant=prediction.derived.get("malignant_or_premalignant"),
    )
    return found.respond(answer)


@router.post("/analyze/heart", response_model=HeartAnswer, **_FACTS)
async def heart(request: Request, parts: PartsDep) -> Response:
    """Analyse the picture of an ECG page; see /v1/ecg/predictions, which also takes records."""
    found = await _ask(request, parts, "ecg")
    triage = triage_of(found.prediction)
    answer = HeartAnswer(
        **common(found),
        prediction=_named(found),
        severity=triage.band,
        urgency=coloured_urgency_of(triage),
        findings=found.prediction.findings,
    )
    return found.respond(answer)


@router.post("/analyze/breast", response_model=BreastAnswer, **_FACTS)
async def breast(request: Request, parts: PartsDep) -> Response:
    """Analyse a breast ultrasound image; see /v1/breast-ultrasound/predictions."""
    found = await _ask(request, parts, "breast-ultrasound")
    triage, malignancy = triage_of(found.prediction), found.prediction.probabilities["malignant"]
    lowest = None
    if malignancy <= PROBABLY_BENIGN:
        lowest = await _lowest_supported(request, parts, found)
    answer = BreastAnswer(
        **common(found),
        prediction=_named(found) | {"birads": birads_estimate(malignancy, found.label, lowest)},
        severity=triage.band,
        recommendations=brief_recommendations_of(triage),
        malignancy_probability=rounded(malignancy),
    )
    return found.respond(answer)


@router.post("/analyze/xray", response_model=ChestAnswer, **_FACTS)
async def xray(request: Request, parts: PartsDep) -> Response:
    """Analyse a chest film; see /v1/chest-xray/predictions."""
    found = await _ask(request, parts, "chest-xray")
    triage, named = triage_of(found.prediction), _named(found)
    del named["class_id"]
    answer = ChestAnswer(
        **common(found),
        prediction=named,
        severity=triage.band,
        urgency=urgency_of(triage),
        recommendations=recommendation_list_of(triage),
    )
    return found.respond(answer)


async def _ask(request: Request, parts: Parts, modality_id: str) -> Accepted:
    """Ask for the picture in the form."""
    modality = offered(request, parts, modality_id)
    intake = picture_form(request, modality, FIELD)
    async with question_of(request, parts, modality, NO_OPTIONS, intake) as question:
        return await accepted(request, parts, question)


async def _lowest_supported(request: Request, parts: Parts, found: Accepted) -> float | None:
    """Return what the model file says its calibration cases support, None when it does not."""
    deadline = parts.deadline(request, DESCRIBE_SECONDS)
    try:
        info = await parts.client.describe(
            found.modality.id, request_id_of(request.scope), deadline
        )
    except ServiceError:
        return None
    calibration = info.metrics.get("calibration")
    if info.sha256 != found.prediction.model.sha256 or not isinstance(calibration, dict):
        return None
    lowest = calibration.get("lowest_supported", {}).get("malignant")
    return lowest if isinstance(lowest, float) else None


def _index(found: Accepted) -> int:
    """Position of the answer among the modality's labels."""
    return found.modality.codes.index(found.label)


def _named(found: Accepted) -> dict[str, object]:
    """The answer as number, name and confidence."""
    index = _index(found)
    return {
        "class_id": index,
        "name": found.modality.labels[index].name,
        **confidence(found.prediction.probabilities[found.label]),
    }
