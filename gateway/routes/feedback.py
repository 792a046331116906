"""POST /v1/predictions/{prediction_id}/feedback: agree, or name the right label."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from contracts.errors import InvalidField, UnsupportedMediaType
from contracts.schemas import Message
from contracts.tables import parse_json_object
from gateway.dependencies import PartsDep, PredictionIdDep, no_query
from gateway.documents import problems
from gateway.feedback import CommentCode, Opinion
from gateway.patient import PatientReference
from gateway.recording import exchange_of
from serving.body import read_body

router = APIRouter(tags=["feedback"], dependencies=[Depends(no_query)])

MAX_BODY_BYTES = 4096
ERRORS = (400, 401, 403, 404, 408, 413, 415, 422, 429, 503)


class FeedbackRequest(BaseModel):
    """What somebody says of a prediction."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    agree: bool
    """True when the answer was right."""
    corrected_label: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """The right label of the modality; several findings are joined with `;`."""
    comment_code: Annotated[CommentCode, Field(strict=False)] | None = None
    """Why, from a closed list. Free text is not taken, as it would hold names."""
    patient_reference: PatientReference | None = None
    """Your own opaque reference; only a keyed hash of it is stored."""


class Feedback(Message):
    """What was stored."""

    feedback_id: int
    prediction_id: str
    time: str
    agree: bool
    corrected_label: str | None
    comment_code: CommentCode | None


_SCHEMA = FeedbackRequest.model_json_schema(ref_template="#/components/schemas/{model}")
_SCHEMA.pop("$defs")  # the answer's schema brings them into the document
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _SCHEMA,
                "example": {
                    "agree": False,
                    "corrected_label": "NORMAL",
                    "comment_code": "false_finding",
                },
            }
        },
    }
}


@router.post(
    "/v1/predictions/{prediction_id}/feedback",
    status_code=201,
    responses=problems(ERRORS),
    openapi_extra=BODY,
)
async def feedback(request: Request, parts: PartsDep, prediction_id: PredictionIdDep) -> Feedback:
    """Say whether a prediction of this key was right; the latest word counts.

    The site exports it with `python -m gateway feedback export` to learn from its own cases.
    """
    body = await _read(request)
    exchange = exchange_of(request)
    exchange.patient_reference = body.patient_reference
    stored = await parts.store.feedback.add(
        prediction_id,
        exchange.caller or "",
        Opinion(
            agree=body.agree,
            corrected_label=body.corrected_label,
            comment_code=body.comment_code,
            patient_hmac=parts.store.pseudonym(body.patient_reference),
        ),
    )
    exchange.refers_to = prediction_id
    return Feedback(
        feedback_id=stored.feedback_id,
        prediction_id=prediction_id,
        time=stored.time,
        agree=body.agree,
        corrected_label=body.corrected_label,
        comment_code=body.comment_code,
    )


async def _read(request: Request) -> FeedbackRequest:
    """Read the body strictly; the refusal names our field, never a value that was sent."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise UnsupportedMediaType("This route takes application/json.")
    payload = parse_json_object(await read_body(request, MAX_BODY_BYTES), max_bytes=MAX_BODY_BYTES)
    try:
        return FeedbackRequest.model_validate(payload)
    except ValidationError as error:
        name = str(error.errors(include_input=False)[0]["loc"][0])
        known = name if name in FeedbackRequest.model_fields else None
        subject = f"The field '{known}'" if known else "A field"
        raise InvalidField(f"{subject} is missing, unknown or bad.", field=known) from error
