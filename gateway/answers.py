"""Judge what a service sent back: an answer to the question asked, or one of our errors.

A service is trusted to compute, not to be well: a 200 with an error page, half a document, NaN or
another modality's answer is 502, and nothing of it is passed on.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from contracts import errors
from contracts.errors import ServiceError, UpstreamUnavailable
from contracts.schemas import Outcome, Prediction, Problem
from gateway.question import Question

ModelT = TypeVar("ModelT", bound=BaseModel)

#: Longest sentence of a service that is passed on.
MAX_DETAIL = 500
_PASSED_ON: dict[int, type[ServiceError]] = {
    400: errors.BadRequest,
    408: errors.RequestTimeout,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    422: errors.InvalidInput,
}
_UNAVAILABLE: dict[str, ServiceError] = {
    error.code: error
    for error in (
        errors.ModelUnavailable("The model of this modality is not available at the moment."),
        errors.Overloaded("The service of this modality is overloaded. Try again shortly."),
        errors.Unavailable("The service of this modality is restarting.", code="draining"),
    )
}
_log = logging.getLogger("gateway.answers")


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer of a service, whole."""

    status: int
    media_type: str
    retry_after: str
    body: bytes
    request_id: str


def read_answer(answer: Answer, kind: type[ModelT]) -> ModelT:
    """Parse a 200 once; raise UpstreamUnavailable `bad_upstream` when it is no valid `kind`."""
    if answer.media_type != "application/json":
        raise bad_upstream(answer, "media_type")
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        raise bad_upstream(answer, "schema") from error


def check_belongs(prediction: Prediction, question: Question, answer: Answer) -> None:
    """Raise `bad_upstream` unless the answer is to this very input and holds together.

    The labels must be the modality's, a rejected answer holds no score, and only an accepted one
    holds a label.
    """
    scored = bool(prediction.probabilities or prediction.findings or prediction.derived)
    faults = {
        "modality": prediction.modality != question.modality.id,
        "input": prediction.input.sha256 != question.upload.sha256,
        "labels": not prediction.probabilities.keys() <= set(question.modality.codes),
        "scores": scored and prediction.outcome is Outcome.REJECTED,
        "label": prediction.label is not None and prediction.outcome is not Outcome.ACCEPTED,
    }
    for reason, wrong in faults.items():
        if wrong:
            raise bad_upstream(answer, reason)


def rebuild_problem(answer: Answer) -> ServiceError:
    """Return our error for an answer other than 200.

    What the input is to blame for is passed on with its code and sentence, which are fixed texts
    of ours. Everything else of the service's own is replaced.
    """
    problem = _problem(answer)
    if problem is None:
        return bad_upstream(answer, "no_problem")
    if (kind := _PASSED_ON.get(answer.status)) is not None:
        if answer.status == 422 and problem.field is not None:
            kind = errors.InvalidField
        return kind(problem.detail[:MAX_DETAIL], code=problem.code, field=problem.field)
    if (answer.status, problem.code) == (404, "no_card"):
        return errors.NotFound("The model of this modality has no card.", code="no_card")
    if answer.status == 503 and (known := _UNAVAILABLE.get(problem.code)) is not None:
        return type(known)(
            known.detail, code=known.code, retry_after_seconds=_seconds(answer.retry_after)
        )
    if answer.status == 504:
        return errors.UpstreamTimeout("The service of this modality did not answer in time.")
    return bad_upstream(answer, "status")


def bad_upstream(answer: Answer, reason: str) -> UpstreamUnavailable:
    """Log that an answer was of no use, without a word of it, and return the 502."""
    _log.warning(
        "bad answer of a service",
        extra={
            "fields": {
                "request_id": answer.request_id,
                "upstream_status": answer.status,
                "reason": reason,
            }
        },
    )
    return UpstreamUnavailable(
        "The service of this modality gave no usable answer.", code="bad_upstream"
    )


def _problem(answer: Answer) -> Problem | None:
    """Return the problem body, None when the answer holds none."""
    if answer.media_type != "application/problem+json":
        return None
    try:
        return Problem.model_validate_json(answer.body)
    except ValidationError:
        return None


def _seconds(retry_after: str) -> int:
    """Return the service's Retry-After if it is a small number, else 2."""
    return int(retry_after) if retry_after.isascii() and retry_after.isdigit() else 2
