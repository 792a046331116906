"""GET /v1/modalities and GET /v1/models: what is offered here, and which model answers."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from contracts.errors import ServiceError
from contracts.modality import Column, Modality
from contracts.schemas import Message, ModelInfo
from gateway.dependencies import Parts, PartsDep, no_query
from gateway.documents import READ_ERRORS, problems
from serving.scope import request_id_of

router = APIRouter(tags=["catalogue"], dependencies=[Depends(no_query)])
#: Time for all services together to say which model they hold.
DESCRIBE_SECONDS = 1.0


class LabelEntry(Message):
    """One label of a modality."""

    code: str
    name: str
    group: str


class ColumnEntry(Message):
    """One member of a table's JSON object."""

    name: str
    title: str
    kind: str
    required: bool
    unit: str
    minimum: float | None
    maximum: float | None
    choices: list[str]
    description: str


class ModalityEntry(Message):
    """One modality: what it takes, within which limits, and what it can say."""

    id: str
    title: str
    kind: str
    ready: bool
    indication: str
    notice: str
    media_types: list[str]
    max_files: int
    limits: dict[str, float]
    labels: list[LabelEntry]
    multiple_labels: bool
    derived: dict[str, list[str]]
    columns: list[ColumnEntry]
    settings: dict[str, float]
    routes: dict[str, str]


class Modalities(Message):
    """All modalities that are offered."""

    modalities: list[ModalityEntry]


class ModelEntry(Message):
    """The model of one modality; without `model` the service does not answer."""

    modality: str
    ready: bool
    model: ModelInfo | None = Field(default=None)


class Models(Message):
    """The models of all modalities that are offered."""

    models: list[ModelEntry]


@router.get("/v1/modalities", responses=problems(READ_ERRORS))
async def modalities(parts: PartsDep) -> Modalities:
    """List the modalities with media types, limits, labels, units and indication."""
    return Modalities(modalities=[_entry(modality, parts) for modality in parts.modalities])


@router.get("/v1/models", responses=problems(READ_ERRORS))
async def models(request: Request, parts: PartsDep) -> Models:
    """List the model of each modality, as its service states it at this moment."""
    entries = (_model(modality, request, parts) for modality in parts.modalities)
    return Models(models=await asyncio.gather(*entries))


async def _model(modality: Modality, request: Request, parts: Parts) -> ModelEntry:
    """Ask one service; a silent one is listed without a model."""
    deadline = parts.deadline(request, DESCRIBE_SECONDS)
    ready = parts.watch.ready[modality.id]
    try:
        info = await parts.client.describe(modality.id, request_id_of(request.scope), deadline)
    except ServiceError:
        return ModelEntry(modality=modality.id, ready=False)
    return ModelEntry(modality=modality.id, ready=ready, model=info)


def _entry(modality: Modality, parts: Parts) -> ModalityEntry:
    """Describe one modality."""
    limits, settings = modality.limits, parts.settings
    verbs = ["predictions", "explanations", "reports"]
    verbs += ["renderings"] if modality.is_image else []
    picture = {
        "max_pixels": limits.max_pixels,
        "min_side": limits.min_side,
        "max_side": limits.max_side,
        "max_aspect": limits.max_aspect,
    }
    return ModalityEntry(
        id=modality.id,
        title=modality.title,
        kind=modality.kind.value,
        ready=parts.watch.ready[modality.id],
        indication=modality.indication,
        notice=modality.notice,
        media_types=list(modality.media_types),
        max_files=modality.max_files,
        limits={"max_bytes": limits.max_bytes} | (picture if modality.is_image else {}),
        labels=[
            LabelEntry(code=label.code, name=label.name, group=label.group)
            for label in modality.labels
        ],
        multiple_labels=modality.activation == "sigmoid",
        derived={derived.name: list(derived.labels) for derived in modality.derived},
        columns=[_column(column) for column in modality.table.columns] if modality.table else [],
        settings={
            "deadline_seconds": settings.deadline_seconds,
            "upload_seconds": settings.upload_seconds,
            "upload_bytes_per_second": settings.upload_bytes_per_second,
        },
        routes={verb: f"/v1/{modality.id}/{verb}" for verb in verbs},
    )


def _column(column: Column) -> ColumnEntry:
    """Describe one column with its unit and range."""
    return ColumnEntry(
        name=column.name,
        title=column.title,
        kind=column.kind,
        required=column.required,
        unit=column.unit,
        minimum=column.minimum,
        maximum=column.maximum,
        choices=[name for name, _ in column.choices],
        description=column.description,
    )
