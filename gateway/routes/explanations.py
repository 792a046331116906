"""POST /v1/{modality}/explanations: the answer and the evidence beside it."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from contracts.schemas import Explanation
from gateway.answering import answered
from gateway.dependencies import ModalityDep, OptionsDep, PartsDep, question_of
from gateway.documents import ANALYSIS_ERRORS, ANY_BODY, HEADERS, problems

router = APIRouter(tags=["analysis"])


@router.post(
    "/v1/{modality}/explanations",
    response_model=Explanation,
    responses=problems(ANALYSIS_ERRORS),
    openapi_extra=ANY_BODY | HEADERS,
)
async def explain(
    request: Request, parts: PartsDep, modality: ModalityDep, options: OptionsDep
) -> Response:
    """Analyse one input and show what the score rests on.

    An influence map for images and ECG pages, exact contributions for tables; `withheld` with its
    reason where a model's maps did not pass their checks.
    """
    async with question_of(request, parts, modality, options) as question:
        return await answered(request, parts, question, parts.analysis.explain, Explanation)
