"""What routes ask for: the parts of the gateway, the modality, the options, the question.

Every dependency is a coroutine: a plain function would be sent to a thread for each request.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import InvalidField, NotFound
from contracts.modality import Modality
from contracts.registry import get_modality
from gateway.analysis import Analysis
from gateway.client import InferenceClient
from gateway.lanes import Lane
from gateway.question import Options, Question
from gateway.readiness import ReadinessWatch
from gateway.recording import exchange_of
from gateway.report.office import ReportOffice
from gateway.settings import GatewaySettings
from gateway.store import Store
from gateway.upload import Intake, Upload, UploadReader
from serving.deadline import Deadline, deadline_of
from serving.scope import note, request_id_of

#: What `gateway.analysis` makes; everything else is looked up nowhere.
PREDICTION_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the routes need, built once by the composition root."""

    settings: GatewaySettings
    modalities: tuple[Modality, ...]
    store: Store
    analysis: Analysis
    reports: ReportOffice
    client: InferenceClient
    lanes: Mapping[str, Lane]
    reader: UploadReader
    watch: ReadinessWatch
    clock: Callable[[], float]

    def deadline(self, request: Request, budget_seconds: float) -> Deadline:
        """Return the caller's deadline, never later than the budget."""
        return deadline_of(request, budget_seconds, self.clock)


class QueryOptions(BaseModel):
    """The query of an analysis; an unknown parameter is refused, as a typo would go unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    prevalence: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        allow_inf_nan=False,
        description="Prevalence of the finding where you work; adds post-test probabilities.",
        examples=[0.08],
    )
    use_tta: bool | None = Field(
        default=None,
        description="Average several views, where the model was calibrated for it; by default as "
        "the service is set, which is off unless its operator says otherwise.",
    )


async def parts_of(request: Request) -> Parts:
    """Return the parts that the lifespan put on the app."""
    parts: Parts = request.app.state.parts
    return parts


PartsDep = Annotated[Parts, Depends(parts_of)]


async def prediction_id_of(
    prediction_id: Annotated[str, Path(description="`prediction_id` of an answer.")],
) -> str:
    """Return the id; NotFound (404) for anything that cannot be one of ours."""
    if not PREDICTION_ID.fullmatch(prediction_id):
        raise NotFound("There is no such prediction of this key.", code="unknown_prediction")
    return prediction_id


PredictionIdDep = Annotated[str, Depends(prediction_id_of)]


async def modality_of(
    request: Request,
    parts: PartsDep,
    modality: Annotated[str, Path(description="Id of a modality, see /v1/modalities.")],
) -> Modality:
    """Return the modality that the path names; UnknownModality (404) when it is not offered."""
    found = get_modality(modality, parts.modalities)
    note(request.scope, modality=found.id)
    return found


ModalityDep = Annotated[Modality, Depends(modality_of)]


async def options_of(request: Request, query: Annotated[QueryOptions, Query()]) -> Options:
    """Return the options; InvalidField (422) also when one is given twice."""
    await no_doubled_parameter(request)
    return Options(prevalence=query.prevalence, use_tta=query.use_tta)


OptionsDep = Annotated[Options, Depends(options_of)]


async def no_doubled_parameter(request: Request) -> None:
    """Raise InvalidField when a query parameter stands twice: which one would count?"""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        raise InvalidField("A query parameter is given twice.")


async def no_query(request: Request) -> None:
    """Raise InvalidField for any query parameter on a route that takes none."""
    if request.query_params:
        raise InvalidField("This route takes no query parameters.")


@asynccontextmanager
async def upload_of(request: Request, parts: Parts, intake: Intake) -> AsyncIterator[Upload]:
    """Receive the upload of this request and note what may be noted of it."""
    async with parts.reader.receive(request, intake) as upload:
        exchange = exchange_of(request)
        exchange.input_sha256 = upload.sha256
        exchange.input_bytes = len(upload.payload)
        exchange.media_type = upload.media_type
        note(request.scope, media_type=upload.media_type)
        yield upload


@asynccontextmanager
async def question_of(
    request: Request,
    parts: Parts,
    modality: Modality,
    options: Options,
    intake: Intake | None = None,
) -> AsyncIterator[Question]:
    """Turn this request into a question; the upload's memory is held until the block ends.

    Refuses before the body is read where breaker or queue say so. The time for the answer counts
    from the moment the body is complete; a deadline of the caller's counts from now.
    """
    budget = parts.settings.deadline_seconds
    latest = parts.deadline(request, parts.settings.upload_seconds + budget)
    exchange_of(request).modality = modality.id
    parts.analysis.check(modality)
    async with upload_of(request, parts, intake or Intake.of(modality)) as upload:
        at = min(latest.at_seconds, parts.clock() + budget)
        yield Question(
            modality, upload, request_id_of(request.scope), Deadline(at, parts.clock), options
        )
