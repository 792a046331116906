"""POST /v1/{modality}/predictions: one input, one answer."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts.schemas import Prediction
from gateway.answering import prediction_response
from gateway.dependencies import ModalityDep, OptionsDep, PartsDep, question_of
from gateway.documents import ANALYSIS_ERRORS, ANY_BODY, HEADERS, problems
from serving.disconnect import run_while_connected

router = APIRouter(tags=["analysis"])


@router.post(
    "/v1/{modality}/predictions",
    response_model=Prediction,
    responses=problems(ANALYSIS_ERRORS),
    openapi_extra=ANY_BODY | HEADERS,
)
async def predict(
    request: Request, parts: PartsDep, modality: ModalityDep, options: OptionsDep
) -> Response:
    """Analyse one input.

    Always 200 for a readable input: `accepted` with an answer, `abstained` with probabilities but
    no single answer, `rejected` with reasons and no scores.
    """
    async with question_of(request, parts, modality, options) as question:
        prediction = await run_while_connected(request, parts.analysis.predict(question))
    return prediction_response(request, prediction)
