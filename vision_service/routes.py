"""The routes of a vision service: raw bodies in, answers or problems out."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from contracts.modality import Modality
from contracts.schemas import Explanation, Prediction, Problem, Recognition
from serving.desk import Desk
from serving.scope import request_id_of
from vision_service.answer import Options
from vision_service.engine import VisionEngine

Prevalence = Annotated[
    float | None,
    Query(gt=0, lt=1, allow_inf_nan=False, description="Prevalence at the place of use."),
]
UseTta = Annotated[
    bool | None,
    Query(description="Ask for test-time augmentation; by default as the service is set."),
]
Form = Annotated[
    Literal["png", "svg"], Query(alias="format", description="`svg` draws a record as a plot.")
]
PICTURE_TYPES = {"png": "image/png", "svg": "image/svg+xml"}
PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "content": {"application/problem+json": {}}}
    for status in (400, 401, 408, 413, 415, 422, 503, 504)
}


def vision_router(desk: Desk[VisionEngine], *, use_tta: bool = False) -> APIRouter:
    """Return the routes that take an input.

    With `use_tta` requests that do not say are answered from several views, where the model can.
    """
    router = APIRouter(responses=PROBLEMS, tags=["inference"])
    _add_answers(router, desk, tta_by_default=use_tta)
    _add_pictures(router, desk)
    return router


def _add_answers(router: APIRouter, desk: Desk[VisionEngine], *, tta_by_default: bool) -> None:
    """The two routes that answer: with and without the evidence."""

    def options_for(
        engine: VisionEngine, prevalence: float | None, use_tta: bool | None
    ) -> Options:
        offered = tta_by_default and engine.model.views is not None
        return Options(prevalence, offered if use_tta is None else use_tta)

    @router.post("/predict", response_model=Prediction, openapi_extra=_body(desk.modality))
    async def predict(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = None
    ) -> Response:
        """Answer one input."""

        async def work(engine: VisionEngine, payload: bytes) -> Prediction:
            request_id = request_id_of(request.scope)
            options = options_for(engine, prevalence, use_tta)
            return await engine.predict(payload, request_id=request_id, options=options)

        prediction = await desk.serve(request, work)
        return desk.answer(request, prediction, prediction)

    @router.post("/explain", response_model=Explanation, openapi_extra=_body(desk.modality))
    async def explain(
        request: Request, prevalence: Prevalence = None, use_tta: UseTta = None
    ) -> Response:
        """Answer one input and show what spoke for the answer."""

        async def work(engine: VisionEngine, payload: bytes) -> Explanation:
            request_id = request_id_of(request.scope)
            options = options_for(engine, prevalence, use_tta)
            return await engine.explain(payload, request_id=request_id, options=options)

        explanation = await desk.serve(request, work)
        return desk.answer(request, explanation, explanation.prediction)


def _add_pictures(router: APIRouter, desk: Desk[VisionEngine]) -> None:
    """The two routes that look at the picture alone."""

    @router.post("/recognise", response_model=Recognition, openapi_extra=_body(desk.modality))
    async def recognise(request: Request) -> Response:
        """Say what kind of picture one input is."""

        async def work(engine: VisionEngine, payload: bytes) -> Recognition:
            return await engine.recognise(payload)

        recognition = await desk.serve(request, work)
        return Response(recognition.model_dump_json(), media_type="application/json")

    @router.post("/render", response_class=Response, openapi_extra=_body(desk.modality))
    async def render(request: Request, form: Form = "png") -> Response:
        """Return the display copy of one input as PNG, or the plot of a record as SVG."""

        async def work(engine: VisionEngine, payload: bytes) -> bytes:
            return await engine.render(payload, svg=form == "svg")

        return Response(await desk.serve(request, work), media_type=PICTURE_TYPES[form])


def _body(modality: Modality) -> dict[str, object]:
    """Describe the raw body for OpenAPI."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content = dict.fromkeys(modality.media_types, binary)
    return {"requestBody": {"required": True, "content": content}}
