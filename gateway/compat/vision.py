"""POST /api/vision/analyze: a chest film in the form field `file`, a short answer."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Depends, Request, Response

from contracts.schemas import Probability
from gateway.compat.answer import Answer, common, rounded
from gateway.compat.asking import accepted, offered, picture_form
from gateway.compat.forms import form_body, route_facts
from gateway.dependencies import PartsDep, no_query, question_of
from gateway.documents import ANALYSIS_ERRORS
from gateway.question import NO_OPTIONS

FIELD = "file"
#: The sentence that clients of this route know.
DISCLAIMER = "AI-assisted preliminary reading. Clinical correlation required."

router = APIRouter(dependencies=[Depends(no_query)])


class VisionAnswer(Answer):
    """Answer of /api/vision/analyze; `confidence` has four decimals."""

    prediction: Literal["NORMAL", "PNEUMONIA"]
    confidence: Probability


@router.post(
    "/api/vision/analyze",
    response_model=VisionAnswer,
    **route_facts(ANALYSIS_ERRORS, form_body(FIELD)),
)
async def analyze(request: Request, parts: PartsDep) -> Response:
    """Analyse a chest film; see /v1/chest-xray/predictions."""
    modality = offered(request, parts, "chest-xray")
    intake = picture_form(request, modality, FIELD)
    async with question_of(request, parts, modality, NO_OPTIONS, intake) as question:
        found = await accepted(request, parts, question)
    answer = VisionAnswer(
        **common(found) | {"disclaimer": DISCLAIMER},
        prediction=found.label,
        confidence=rounded(found.prediction.probabilities[found.label]),
    )
    return found.respond(answer)
