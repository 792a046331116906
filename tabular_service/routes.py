"""The routes of a tabular service: JSON bodies in, answers or problems out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from contracts.modality import Modality
from contracts.schemas import Explanation, Prediction, Problem
from serving.desk import Desk
from serving.scope import request_id_of
from tabular_service.engine import TabularEngine

Prevalence = Annotated[
    float | None,
    Query(gt=0, lt=1, allow_inf_nan=False, description="Prevalence at the place of use."),
]
PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 401, 408, 413, 415, 422, 503, 504)
}


def tabular_router(desk: Desk[TabularEngine]) -> APIRouter:
    """Return the two routes that answer: with and without the evidence."""
    router = APIRouter(responses=PROBLEMS, tags=["inference"])

    @router.post("/predict", response_model=Prediction, openapi_extra=_body(desk.modality))
    async def predict(request: Request, prevalence: Prevalence = None) -> Response:
        """Answer one document."""

        async def work(engine: TabularEngine, payload: bytes) -> Prediction:
            request_id = request_id_of(request.scope)
            return await engine.predict(payload, request_id=request_id, prevalence=prevalence)

        prediction = await desk.serve(request, work)
        return desk.answer(request, prediction, prediction)

    @router.post("/explain", response_model=Explanation, openapi_extra=_body(desk.modality))
    async def explain(request: Request, prevalence: Prevalence = None) -> Response:
        """Answer one document with the exact contribution of each input."""

        async def work(engine: TabularEngine, payload: bytes) -> Explanation:
            request_id = request_id_of(request.scope)
            return await engine.explain(payload, request_id=request_id, prevalence=prevalence)

        explanation = await desk.serve(request, work)
        return desk.answer(request, explanation, explanation.prediction)

    return router


def _body(modality: Modality) -> dict[str, object]:
    """Describe the raw body for OpenAPI."""
    content = {media: {"schema": {"type": "object"}} for media in modality.media_types}
    return {"requestBody": {"required": True, "content": content}}
