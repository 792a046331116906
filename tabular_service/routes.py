"""The routes of a tabular service: JSON bodies in, answers or problems out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.modality import Modality
from contracts.schemas import Explanation, Prediction, Problem, Reason
from serving.desk import Desk
from serving.scope import request_id_of
from tabular_service.engine import TabularEngine

Prevalence = Annotated[
    float | None,
    Query(gt=0, lt=1, allow_inf_nan=False, description="Prevalence at the place of use."),
]
UseTta = Annotated[bool | None, Query(description="A table has no other views: a warning.")]
TTA_UNAVAILABLE = Reason(
    code="tta_unavailable",
    message="Test-time augmentation was asked for, but a table has no other views. The answer is "
    "the ordinary one.",
)
PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 401, 408, 413, 415, 422, 503, 504)
}


def tabular_router(desk: Desk[TabularEngine]) -> APIRouter:
    """Return the two routes that answer: with and without the evidence."""
    router = APIRouter(responses=PROBLEMS, tags=["inference"])

    @router.post("/predict", response_model=Prediction, openapi_extra=_body(desk.modality))
    async def predict(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = None
    ) -> Response:
        """Answer one document."""

        async def work(engine: TabularEngine, payload: bytes) -> Prediction:
            request_id = request_id_of(request.scope)
            prediction = await engine.predict(payload, request_id=request_id, prevalence=prevalence)
            return _with_warning(prediction) if use_tta else prediction

        prediction = await desk.serve(request, work)
        return desk.answer(request, prediction, prediction)

    @router.post("/explain", response_model=Explanation, openapi_extra=_body(desk.modality))
    async def explain(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = None
    ) -> Response:
        """Answer one document with the exact contribution of each input."""

        async def work(engine: TabularEngine, payload: bytes) -> Explanation:
            request_id = request_id_of(request.scope)
            explanation = await engine.explain(
                payload, request_id=request_id, prevalence=prevalence
            )
            if not use_tta:
                return explanation
            prediction = _with_warning(explanation.prediction)
            return explanation.model_copy(update={"prediction": prediction})

        explanation = await desk.serve(request, work)
        return desk.answer(request, explanation, explanation.prediction)

    return router


def _with_warning(prediction: Prediction) -> Prediction:
    """Say that what was asked for cannot be had of a table."""
    warnings = [*prediction.warnings, TTA_UNAVAILABLE]
    return prediction.model_copy(update={"warnings": warnings})


def _body(modality: Modality) -> dict[str, object]:
    """Describe the raw body for OpenAPI."""
    content = {media: {"schema": {"type": "object"}} for media in modality.media_types}
    return {"requestBody": {"required": True, "content": content}}
