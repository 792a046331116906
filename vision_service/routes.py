"""The routes of a vision service: raw bodies in, answers or problems out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from contracts.errors import ModelUnavailable
from contracts.modality import Modality
from contracts.schemas import Explanation, ModelInfo, Prediction, Problem
from serving.admission import Admission
from serving.body import Pace, read_body
from serving.deadline import deadline_of
from serving.disconnect import run_while_connected
from serving.health import HealthState, Phase
from serving.holder import ModelHolder
from serving.scope import note, request_id_of
from serving.timing import server_timing
from vision_service.answer import Options
from vision_service.engine import VisionEngine
from vision_service.metrics import VisionMetrics

Answer = TypeVar("Answer")
Prevalence = Annotated[
    float | None,
    Query(gt=0, lt=1, allow_inf_nan=False, description="Prevalence at the place of use."),
]
UseTta = Annotated[bool, Query(description="Ask for test-time augmentation.")]
_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 401, 408, 413, 415, 422, 503, 504)
}


@dataclass(frozen=True, slots=True)
class Desk:
    """What every route needs; made once by the app."""

    modality: Modality
    holder: ModelHolder[VisionEngine]
    health: HealthState
    admission: Admission
    metrics: VisionMetrics
    deadline_seconds: float
    pace: Pace

    @property
    def engine(self) -> VisionEngine:
        """Return the engine; raise ModelUnavailable (503) when there is none, or a damaged one."""
        engine = self.holder.engine
        if self.health.phase is Phase.FAILED:
            raise ModelUnavailable("The model failed its quality control.", retry_after_seconds=30)
        return engine

    async def serve(
        self, request: Request, work: Callable[[VisionEngine, bytes], Awaitable[Answer]]
    ) -> Answer:
        """Take a place, read the body, and work within the deadline while the caller is there."""
        engine = self.engine
        note(request.scope, modality=self.modality.id)
        with self.admission.slot():
            deadline = deadline_of(request, self.deadline_seconds)
            payload = await read_body(request, self.modality.limits.max_bytes, self.pace)
            async with deadline.scope():

                async def run() -> Answer:
                    return await work(engine, payload)

                return await run_while_connected(request, run())


def vision_router(desk: Desk) -> APIRouter:
    """Return all routes of the service."""
    router = APIRouter(responses=_PROBLEMS)

    @router.post("/predict", response_model=Prediction, openapi_extra=_body(desk.modality))
    async def predict(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = False
    ) -> Response:
        """Answer one input."""
        options = Options(prevalence, use_tta)

        async def work(engine: VisionEngine, payload: bytes) -> Prediction:
            request_id = request_id_of(request.scope)
            return await engine.predict(payload, request_id=request_id, options=options)

        prediction = await desk.serve(request, work)
        return _answer(request, desk, prediction, prediction)

    @router.post("/explain", response_model=Explanation, openapi_extra=_body(desk.modality))
    async def explain(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = False
    ) -> Response:
        """Answer one input and show what spoke for the answer."""
        options = Options(prevalence, use_tta)

        async def work(engine: VisionEngine, payload: bytes) -> Explanation:
            request_id = request_id_of(request.scope)
            return await engine.explain(payload, request_id=request_id, options=options)

        explanation = await desk.serve(request, work)
        return _answer(request, desk, explanation, explanation.prediction)

    @router.post("/render", response_class=Response, openapi_extra=_body(desk.modality))
    async def render(request: Request) -> Response:
        """Return the display copy of one input as PNG."""

        async def work(engine: VisionEngine, payload: bytes) -> bytes:
            return await engine.render(payload)

        return Response(await desk.serve(request, work), media_type="image/png")

    @router.get("/model", response_model=ModelInfo)
    async def model() -> ModelInfo:
        """Describe the model that answers."""
        return desk.engine.info

    return router


def _answer(request: Request, desk: Desk, body: BaseModel, prediction: Prediction) -> Response:
    """Serialise an answer, count it, and tell the time of its stages."""
    desk.metrics.outcomes.labels(prediction.outcome.value).inc()
    desk.metrics.record_stages(prediction.timing_ms)
    note(
        request.scope,
        outcome=prediction.outcome.value,
        media_type=prediction.input.media_type,
        model=prediction.model.version,
    )
    return Response(
        body.model_dump_json(),
        media_type="application/json",
        headers={"Server-Timing": server_timing(prediction.timing_ms)},
    )


def _body(modality: Modality) -> dict[str, object]:
    """Describe the raw body for OpenAPI."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = dict.fromkeys(modality.media_types, binary)
    return {"requestBody": {"required": True, "content": content}}
