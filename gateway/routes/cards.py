"""GET /v1/models/{modality}/card: the model card, from the service that holds the model."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from gateway.dependencies import ModalityDep, PartsDep, no_doubled_parameter
from gateway.documents import SERVICE_ERRORS, problems
from serving.scope import request_id_of

router = APIRouter(tags=["catalogue"])

_TYPES = {
    "json": "application/json",
    "markdown": "text/markdown; charset=utf-8",
    "html": "text/html; charset=utf-8",
}
#: A card is a document without scripts; its own style sheet is part of it.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
_CARD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The card in the form asked for.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "text/markdown": {"schema": {"type": "string"}},
            "text/html": {"schema": {"type": "string"}},
        },
    }
}


class CardQuery(BaseModel):
    """The query of a card."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["json", "markdown", "html"] = "json"


@router.get(
    "/v1/models/{modality}/card",
    response_class=Response,
    responses=problems(SERVICE_ERRORS) | _CARD,
)
async def card(
    request: Request, parts: PartsDep, modality: ModalityDep, query: Annotated[CardQuery, Query()]
) -> Response:
    """Return the card of the running model: data, intended use, limits, measured figures."""
    await no_doubled_parameter(request)
    deadline = parts.deadline(request, parts.settings.deadline_seconds)
    document = await parts.client.card(
        modality.id, query.format, request_id_of(request.scope), deadline
    )
    headers = {"Content-Security-Policy": _POLICY} if query.format == "html" else {}
    return Response(document.payload, media_type=_TYPES[query.format], headers=headers)
