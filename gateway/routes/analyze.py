"""POST /v1/analyze: find out which modality an image is, then answer for that one."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter, Request, Response

from contracts.errors import InvalidInput, ModelUnavailable
from contracts.modality import JPEG, PNG, Modality
from contracts.schemas import Prediction
from gateway.answering import answered
from gateway.breaker import State
from gateway.dependencies import OptionsDep, Parts, PartsDep, question_of
from gateway.documents import ANALYSIS_ERRORS, IMAGE_BODY, REPEATABLE, problems
from gateway.question import Question
from gateway.recording import exchange_of
from gateway.upload import Intake
from serving.scope import note

router = APIRouter(tags=["analysis"])


@router.post(
    "/v1/analyze",
    response_model=Prediction,
    responses=problems(ANALYSIS_ERRORS),
    openapi_extra=IMAGE_BODY | REPEATABLE,
)
async def analyze(request: Request, parts: PartsDep, options: OptionsDep) -> Response:
    """Analyse an image whose modality you do not name.

    One ready image service says what the image looks like; then it is answered exactly as on
    `/v1/{modality}/predictions`. 422 `unrecognised_image` when it looks like none of ours.
    """
    guide = ready_guide(parts)
    async with question_of(request, parts, guide, options, _intake(parts)) as question:
        ask = partial(_route, request, parts)
        return await answered(request, parts, question, ask, Prediction)


def ready_guide(parts: Parts) -> Modality:
    """Return an image modality whose service is ready and answers; it knows the others' kinds."""
    for modality in parts.modalities:
        answers = parts.lanes[modality.id].breaker.state is not State.OPEN
        if modality.is_image and answers and parts.watch.ready[modality.id]:
            return modality
    raise ModelUnavailable("No image service is ready to recognise the image.")


def _intake(parts: Parts) -> Intake:
    """What any image route takes, at the largest of their limits."""
    sizes = [modality.limits.max_bytes for modality in parts.modalities if modality.is_image]
    return Intake(title="This route", media_types=(JPEG, PNG), max_bytes=max(sizes))


async def _route(request: Request, parts: Parts, question: Question) -> Prediction:
    """Ask what it looks like, then ask the service of that modality."""
    recognition = await parts.analysis.recognise(question)
    offered = {modality.id: modality for modality in parts.modalities}
    modality = offered.get(recognition.looks_like or "")
    if modality is None:
        raise InvalidInput(
            "The image looks like none of the modalities that are served here.",
            code="unrecognised_image",
        )
    exchange_of(request).modality = modality.id
    note(request.scope, modality=modality.id)
    return await parts.analysis.predict(question.for_modality(modality))
