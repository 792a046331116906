"""Ask, and hand the answer out: once per idempotency key, noted for log and record, timed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import InvalidField
from contracts.schemas import Explanation, Prediction
from gateway.dependencies import Parts
from gateway.idempotency import Claim, repeatable
from gateway.question import Question
from gateway.recording import exchange_of
from serving.disconnect import run_while_connected
from serving.scope import note, route_template_of
from serving.timing import server_timing

AnswerT = TypeVar("AnswerT", Prediction, Explanation)
KEY_HEADER = "Idempotency-Key"


async def answered(
    request: Request,
    parts: Parts,
    question: Question,
    ask: Callable[[Question], Coroutine[Any, Any, AnswerT]],
    kind: type[AnswerT],
) -> Response:
    """Return the 200 with what `ask` says, or with what it said before to the same key.

    Raises what `ask` raises, ClientDisconnect when the caller leaves, and for the key InvalidField
    (422), Conflict (409) or Unavailable (503).
    """
    exchange = exchange_of(request)
    exchange.options = question.options.chosen
    # An explanation shows the picture, and pictures are never kept.
    claim = await _claim(request, parts, question) if kind is Prediction else None
    if isinstance(claim, str):
        exchange.replayed = True
        kept = kind.model_validate_json(claim)
        return _respond(request, kept, claim, {"Idempotent-Replayed": "true"})
    exchange.claim = claim
    answer = await run_while_connected(request, ask(question))
    body = answer.model_dump_json()
    exchange.answer = body
    return _respond(request, answer, body, {})


async def _claim(request: Request, parts: Parts, question: Question) -> Claim | str | None:
    """Return the kept answer, the claim to make it, or None when no key was sent."""
    keys = request.headers.getlist(KEY_HEADER)
    if not keys:
        return None
    if len(keys) > 1:
        raise InvalidField("Idempotency-Key is given twice.", field=KEY_HEADER)
    asked: dict[str, object] = {
        "modality": request.path_params.get("modality"),
        "input": question.upload.sha256,
        "options": question.options.params,
    }
    caller = exchange_of(request).caller or ""
    route = route_template_of(request.scope)
    return await parts.store.answers.claim(repeatable(caller, keys[0], route, asked))


def note_answer(request: Request, prediction: Prediction) -> None:
    """Put an answer into the record of its request, and its outcome into the log line."""
    exchange_of(request).prediction = prediction
    note(
        request.scope,
        outcome=prediction.outcome.value,
        model=f"{prediction.model.name} {prediction.model.version}",
    )


def _respond(
    request: Request, answer: Prediction | Explanation, body: str, headers: dict[str, str]
) -> Response:
    """Return the 200; the answer is noted for record and log."""
    prediction = answer if isinstance(answer, Prediction) else answer.prediction
    note_answer(request, prediction)
    timing = {"Server-Timing": server_timing(prediction.timing_ms)}
    return Response(body, media_type="application/json", headers=headers | timing)
