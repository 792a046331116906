"""POST /predict and GET /model/info: the chest X-ray service of an earlier client."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from contracts.schemas import Message, Probability
from gateway.compat.answer import Answer, common, rounded
from gateway.compat.asking import Accepted, accepted, offered, picture_form
from gateway.compat.fields import PATIENT_ID, read_flag, read_patient_id
from gateway.compat.forms import form_body, route_facts
from gateway.compat.model_info import ChestModel, describe_chest
from gateway.dependencies import PartsDep, no_doubled_parameter, no_query, question_of
from gateway.documents import ANALYSIS_ERRORS, SERVICE_ERRORS
from gateway.moment import utc_now
from gateway.question import NO_OPTIONS, Options
from gateway.recording import exchange_of

FIELD = "file"
_TEXTS = ("patient_id", "use_tta")

router = APIRouter()


class PredictQuery(BaseModel):
    """The query of /predict."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["simple"] | None = None


class SimpleAnswer(Message):
    """Answer of /predict?format=simple."""

    label: str
    score: Probability


class PredictAnswer(Answer):
    """Answer of /predict. `confidence` is a percentage, here and nowhere else."""

    status: Literal["success"] = "success"
    prediction: Literal["NORMAL", "PNEUMONIA"]
    confidence: float
    probabilities: dict[str, Probability]
    processing_time_ms: float
    timestamp: str
    patient_id: str | None
    image_size: list[int] | None
    warnings: list[str] | None
    label: str
    score: Probability


_BODY = form_body(
    FIELD,
    patient_id={"type": "string", "pattern": PATIENT_ID.pattern},
    use_tta={"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[01])$"},
)


@router.post(
    "/predict", response_model=PredictAnswer | SimpleAnswer, **route_facts(ANALYSIS_ERRORS, _BODY)
)
async def predict(
    request: Request, parts: PartsDep, query: Annotated[PredictQuery, Query()]
) -> Response:
    """Analyse a chest film; see /v1/chest-xray/predictions."""
    started = parts.clock()
    await no_doubled_parameter(request)
    modality = offered(request, parts, "chest-xray")
    intake = picture_form(request, modality, FIELD, _TEXTS)
    async with question_of(request, parts, modality, NO_OPTIONS, intake) as question:
        fields = question.upload.fields
        patient_id = read_patient_id(fields.get("patient_id"))
        exchange_of(request).patient_reference = patient_id
        options = Options(use_tta=read_flag("use_tta", fields.get("use_tta")))
        found = await accepted(request, parts, replace(question, options=options))
    score = rounded(found.prediction.probabilities[found.label])
    if query.format == "simple":
        return found.respond(SimpleAnswer(label=found.label, score=score))
    spent_ms = round((parts.clock() - started) * 1000, 1)
    return found.respond(_answer(found, patient_id, spent_ms))


@router.get(
    "/model/info",
    response_model=ChestModel,
    dependencies=[Depends(no_query)],
    **route_facts(SERVICE_ERRORS),
)
async def model_info(request: Request, parts: PartsDep) -> ChestModel:
    """Describe the chest X-ray model; see /v1/models."""
    return await describe_chest(request, parts)


def _answer(found: Accepted, patient_id: str | None, spent_ms: float) -> PredictAnswer:
    """Return the long answer."""
    prediction = found.prediction
    probability, seen = prediction.probabilities[found.label], prediction.input
    sized = seen.width is not None and seen.height is not None
    return PredictAnswer(
        **common(found),
        prediction=found.label,
        confidence=round(100 * probability, 2),
        probabilities={code: rounded(p) for code, p in prediction.probabilities.items()},
        processing_time_ms=spent_ms,
        timestamp=utc_now().isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        patient_id=patient_id,
        image_size=[seen.width, seen.height] if sized else None,
        warnings=[warning.code for warning in prediction.warnings] or None,
        label=found.label,
        score=rounded(probability),
    )
