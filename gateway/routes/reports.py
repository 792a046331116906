"""POST /v1/{modality}/reports: one input, one page to file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from gateway.accept import preferred
from gateway.answering import note_answer
from gateway.dependencies import (
    ModalityDep,
    PartsDep,
    QueryOptions,
    no_doubled_parameter,
    question_of,
)
from gateway.documents import ANALYSIS_ERRORS, ANY_BODY, HEADERS, problems
from gateway.patient import PATIENT_HEADER, patient_reference_of
from gateway.question import Options
from gateway.recording import exchange_of
from gateway.report.html import policy
from gateway.report.office import Form, Report
from serving.disconnect import run_while_connected
from serving.timing import server_timing

router = APIRouter(tags=["analysis"])

_TYPES = {Form.HTML: "text/html", Form.PDF: "application/pdf"}
_REPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The page, in the form that `format` or `Accept` asks for.",
        "headers": {
            "Content-Disposition": {
                "description": "A file name made of modality and prediction id.",
                "schema": {"type": "string"},
            }
        },
        "content": {
            "text/html": {"schema": {"type": "string"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
_EXTRA: dict[str, Any] = ANY_BODY | {"parameters": [*HEADERS["parameters"], PATIENT_HEADER]}


class ReportQuery(QueryOptions):
    """The query of a report: that of an analysis, and the form."""

    format: Form | None = Field(
        default=None, description="`html` or `pdf`; without it `Accept` decides, HTML by default."
    )


@router.post(
    "/v1/{modality}/reports",
    response_class=Response,
    responses=problems(ANALYSIS_ERRORS) | _REPORT,
    openapi_extra=_EXTRA,
)
async def report(
    request: Request,
    parts: PartsDep,
    modality: ModalityDep,
    query: Annotated[ReportQuery, Query()],
    reference: Annotated[str | None, Depends(patient_reference_of)],
) -> Response:
    """Analyse one input and return the answer as one page: HTML to print, or PDF.

    The same input, options and checks as a prediction, and one record of it. A rejected input
    gives a page that says so. The page is made in memory and not kept.
    """
    await no_doubled_parameter(request)
    form = query.format or Form(preferred(request.headers.get("accept", ""), _TYPES))
    options = Options(prevalence=query.prevalence, use_tta=query.use_tta)
    exchange = exchange_of(request)
    exchange.patient_reference = reference
    exchange.options = options.chosen
    async with question_of(request, parts, modality, options) as question:
        made = await run_while_connected(request, parts.reports.make(question, form, reference))
    note_answer(request, made.prediction)
    return Response(made.payload, media_type=_TYPES[form], headers=_headers(made))


def _headers(made: Report) -> dict[str, str]:
    """Name the file, and for a browser what the page may do: nothing."""
    name = f"{made.prediction.modality}-{made.prediction.prediction_id}.{made.form.value}"
    headers = {
        "Content-Disposition": f'inline; filename="{name}"',
        "Server-Timing": server_timing(made.timing_ms),
        "Vary": "Accept",
    }
    return headers | ({"Content-Security-Policy": policy()} if made.form is Form.HTML else {})
