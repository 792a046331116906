"""`GET /model` and `GET /model/card`, the same in every service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from contracts.errors import NotFound
from contracts.schemas import ModelInfo
from serving.markdown import to_page

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"


class CardFormat(StrEnum):
    """The forms of a card."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class HeldModel:
    """The model that answers now: what it says of itself, and where its file lies."""

    info: ModelInfo
    path: Path


def card_router(held: Callable[[], HeldModel]) -> APIRouter:
    """Return both routes; `held` raises ModelUnavailable when there is no model."""
    router = APIRouter(tags=["model"])

    @router.get("/model", response_model=ModelInfo)
    async def model() -> ModelInfo:
        """Describe the model that answers."""
        return held().info

    @router.get("/model/card", response_class=Response)
    async def card(format: CardFormat = CardFormat.JSON) -> Response:
        """Return the card that was written beside the model file."""
        found = held()
        text = await run_in_threadpool(read_card, found.path)
        return card_response(found.info, text, format)

    return router


def read_card(model_file: Path) -> str:
    """Return the Markdown beside a model file; raise NotFound (404) when there is none."""
    try:
        return model_file.with_suffix(".md").read_text()
    except OSError as error:
        raise NotFound("This model file has no card.", code="no_card") from error


def card_response(info: ModelInfo, text: str, form: CardFormat) -> Response:
    """Return the card in the form asked for; JSON holds the facts and the Markdown."""
    if form is CardFormat.MARKDOWN:
        return Response(text, media_type="text/markdown")
    if form is CardFormat.HTML:
        page = to_page(text, f"{info.modality} {info.version}")
        return Response(page, media_type="text/html", headers={"Content-Security-Policy": POLICY})
    return JSONResponse({**info.model_dump(mode="json"), "card": text})
