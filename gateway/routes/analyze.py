"""POST /v1/analyze: find out which modality an image is, then answer for that one."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial

from fastapi import APIRouter, Request, Response

from contracts.errors import InvalidInput, ModelUnavailable, ServiceError
from contracts.modality import JPEG, PNG, Modality
from contracts.schemas import Prediction, Recognition
from gateway.answering import answered
from gateway.breaker import State
from gateway.dependencies import OptionsDep, Parts, PartsDep, question_of
from gateway.documents import ANALYSIS_ERRORS, IMAGE_BODY, REPEATABLE, problems
from gateway.question import Question
from gateway.recording import exchange_of
from gateway.upload import Intake
from serving.scope import note

#: Of the time that is left, at most so much goes into asking what it is: one guide that hangs must
#: not cost the answer. More than `lanes.FAIR_SHARE`, so that its breaker learns of it.
HEARING_SHARE = 0.6

router = APIRouter(tags=["analysis"])


@router.post(
    "/v1/analyze",
    response_model=Prediction,
    responses=problems(ANALYSIS_ERRORS),
    openapi_extra=IMAGE_BODY | REPEATABLE,
)
async def analyze(request: Request, parts: PartsDep, options: OptionsDep) -> Response:
    """Analyse an image whose modality you do not name.

    The image services that are ready say what the image looks like; then it is answered exactly as
    on `/v1/{modality}/predictions`. 422 `unrecognised_image` when it looks like none of ours.
    """
    guides = ready_guides(parts)
    async with question_of(request, parts, guides[0], options, _intake(parts)) as question:
        ask = partial(_route, request, parts, guides)
        return await answered(request, parts, question, ask, Prediction)


def ready_guides(parts: Parts) -> list[Modality]:
    """Return the image modalities whose services are ready and answer; each knows all kinds.

    Raises ModelUnavailable when there is none.
    """
    guides = [
        modality
        for modality in parts.modalities
        if modality.is_image
        and parts.watch.ready[modality.id]
        and not parts.lanes[modality.id].gate.is_closed
        and parts.lanes[modality.id].breaker.state is not State.OPEN
    ]
    if not guides:
        raise ModelUnavailable("No image service is ready to recognise the image.")
    return guides


def _intake(parts: Parts) -> Intake:
    """What any image route takes, at the largest of their limits."""
    sizes = [modality.limits.max_bytes for modality in parts.modalities if modality.is_image]
    return Intake(title="This route", media_types=(JPEG, PNG), max_bytes=max(sizes))


async def _route(
    request: Request, parts: Parts, guides: list[Modality], question: Question
) -> Prediction:
    """Ask what it looks like, then ask the service of that modality."""
    offered = {modality.id: modality for modality in parts.modalities}
    modality = offered.get(await _looks_like(parts, guides, question))
    if modality is None:
        raise InvalidInput(
            "The image looks like none of the modalities that are served here.",
            code="unrecognised_image",
        )
    exchange_of(request).modality = modality.id
    note(request.scope, modality=modality.id)
    return await parts.analysis.predict(question.for_modality(modality))


async def _looks_like(parts: Parts, guides: list[Modality], question: Question) -> str:
    """Return the kind that all guides together find likeliest; one that fails is not heard.

    Each judges by the features of its own model, so that one may see what another cannot.
    Raises what the first one raised when all failed.
    """
    hearing = question.within(HEARING_SHARE)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_hear(parts, hearing.for_modality(one))) for one in guides]
    answers = [task.result() for task in tasks]
    heard = [answer for answer in answers if isinstance(answer, Recognition)]
    if isinstance(answers[0], ServiceError) and not heard:
        raise answers[0]
    votes: defaultdict[str, float] = defaultdict(float)
    for answer in heard:
        for kind, probability in answer.probabilities.items():
            votes[kind] += probability
    return max(votes, key=votes.__getitem__, default="")


async def _hear(parts: Parts, question: Question) -> Recognition | ServiceError:
    """Ask one guide; an error is its answer."""
    try:
        return await parts.analysis.recognise(question)
    except ServiceError as error:
        return error
