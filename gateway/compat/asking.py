"""Ask like /v1 does (same admission, limits, keys, record), and go on only with an answer."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from contracts.errors import UnsupportedMediaType, UpstreamUnavailable
from contracts.modality import JPEG, PNG, Modality
from contracts.registry import get_modality
from contracts.schemas import Outcome, Prediction
from gateway.answering import answered
from gateway.compat.refusal import NoAnswer
from gateway.dependencies import Parts
from gateway.question import Question
from gateway.recording import exchange_of
from gateway.upload import MULTIPART, Intake
from serving.scope import note


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted prediction, with what the answer's head says about it."""

    prediction: Prediction
    label: str
    modality: Modality
    head: dict[str, str]

    def respond(self, answer: BaseModel) -> Response:
        """Return the 200 in the words of the earlier route."""
        return Response(answer.model_dump_json(), media_type="application/json", headers=self.head)


async def accepted(request: Request, parts: Parts, question: Question) -> Accepted:
    """Return the accepted prediction.

    Raises NoAnswer (422) for any other outcome, UpstreamUnavailable (502) for an answer that lacks
    label, probability or reason, and what /v1 raises.
    """
    response = await answered(request, parts, question, parts.analysis.predict, Prediction)
    prediction, modality = exchange_of(request).prediction, question.modality
    if prediction is None:
        raise bad_answer()
    if prediction.outcome is not Outcome.ACCEPTED:
        raise NoAnswer(prediction, modality) if prediction.reasons else bad_answer()
    if prediction.label is None or prediction.probabilities.keys() != set(modality.codes):
        raise bad_answer()
    named = {"server-timing", "idempotent-replayed"}
    head = {name: value for name, value in response.headers.items() if name in named}
    return Accepted(prediction, prediction.label, modality, head)


def offered(request: Request, parts: Parts, modality_id: str) -> Modality:
    """Return the modality of a route; UnknownModality (404) when it is not offered here."""
    modality = get_modality(modality_id, parts.modalities)
    note(request.scope, modality=modality.id)
    return modality


def picture_form(
    request: Request, modality: Modality, file_field: str, text_fields: tuple[str, ...] = ()
) -> Intake:
    """Return what a picture route takes: a form with one JPEG or PNG in the field of that name.

    Raises UnsupportedMediaType (415) for a body that is no form.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != MULTIPART:
        raise UnsupportedMediaType(
            f"This route takes {MULTIPART} with a JPEG or PNG in the field {file_field}."
        )
    return Intake(
        title=modality.title,
        media_types=(JPEG, PNG),
        max_bytes=modality.limits.max_bytes,
        file_field=file_field,
        text_fields=text_fields,
    )


def bad_answer() -> UpstreamUnavailable:
    """Return the 502 for an answer of a service that cannot be translated."""
    return UpstreamUnavailable(
        "The service of this modality gave no usable answer.", code="bad_upstream"
    )
