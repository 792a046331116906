"""POST /v1/{modality}/renderings: the picture that a person would look at."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from contracts.errors import NotFound
from contracts.modality import Modality
from gateway.client import PictureForm
from gateway.dependencies import ModalityDep, PartsDep, no_doubled_parameter, question_of
from gateway.documents import ANALYSIS_ERRORS, ANY_BODY, HEADERS, problems
from gateway.question import NO_OPTIONS
from serving.disconnect import run_while_connected

router = APIRouter(tags=["analysis"])

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The upright picture, at most 1,024 pixels a side, or the ECG plot.",
        "content": {
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "image/svg+xml": {"schema": {"type": "string"}},
        },
    }
}


class RenderingQuery(BaseModel):
    """The query of a rendering."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: PictureForm = Field(
        default="png", description="`svg` draws an ECG record in millimetres; pictures stay PNG."
    )


async def drawable(modality: ModalityDep) -> Modality:
    """Return the modality; NotFound (404) for tables, of which there is no picture."""
    if not modality.is_image:
        raise NotFound("There is no picture of a table.")
    return modality


@router.post(
    "/v1/{modality}/renderings",
    response_class=Response,
    responses=problems(ANALYSIS_ERRORS) | _PICTURE,
    openapi_extra=ANY_BODY | HEADERS,
    dependencies=[Depends(no_doubled_parameter)],
)
async def render(
    request: Request,
    parts: PartsDep,
    modality: Annotated[Modality, Depends(drawable)],
    query: Annotated[RenderingQuery, Query()],
) -> Response:
    """Return the input as a picture for display. Nothing is analysed and nothing is kept."""
    async with question_of(request, parts, modality, NO_OPTIONS) as question:
        drawing = parts.analysis.render(question, query.format)
        picture = await run_while_connected(request, drawing)
    return Response(picture.payload, media_type=picture.media_type)
