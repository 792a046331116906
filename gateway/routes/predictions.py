"""POST /v1/{modality}/predictions: one input, one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts.schemas import Prediction
from gateway.answering import answered
from gateway.dependencies import ModalityDep, OptionsDep, PartsDep, question_of
from gateway.documents import ANALYSIS_ERRORS, ANY_BODY, REPEATABLE, problems

router = APIRouter(tags=["analysis"])


@router.post(
    "/v1/{modality}/predictions",
    response_model=Prediction,
    responses=problems(ANALYSIS_ERRORS),
    openapi_extra=ANY_BODY | REPEATABLE,
)
async def predict(
    request: Request, parts: PartsDep, modality: ModalityDep, options: OptionsDep
) -> Response:
    """Analyse one input.

    Always 200 for a readable input: `accepted` with an answer, `abstained` with probabilities but
    no single answer, `rejected` with reasons and no scores. The same `Idempotency-Key` gives the
    same answer again.
    """
    async with question_of(request, parts, modality, options) as question:
        return await answered(request, parts, question, parts.analysis.predict, Prediction)
