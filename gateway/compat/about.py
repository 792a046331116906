"""GET /: what this is, as JSON; a page for browsers, where the app has one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from fastapi import APIRouter, Depends, Request, Response

from contracts.schemas import Message
from gateway.about import NAME, NOTICE, VERSION
from gateway.accept import quality
from gateway.dependencies import no_query
from gateway.documents import problems

#: Draws the page of a request. The composition root sets it as `app.state.page`.
Page: TypeAlias = Callable[[Request], Awaitable[Response]]

router = APIRouter(tags=["health"], dependencies=[Depends(no_query)])


class About(Message):
    """Name, version, and where to go from here."""

    name: str
    version: str
    docs: str
    modalities: str
    health: str
    disclaimer: str


@router.get("/", response_model=About, responses=problems((400, 422)))
async def about(request: Request) -> Response:
    """Say what this is; a browser that asks for HTML gets the page."""
    page: Page | None = getattr(request.app.state, "page", None)
    if page is not None and prefers_html(request.headers.get("accept", "")):
        response = await page(request)
    else:
        found = About(
            name=NAME,
            version=VERSION,
            docs="/docs",
            modalities="/v1/modalities",
            health="/health",
            disclaimer=NOTICE,
        )
        response = Response(found.model_dump_json(), media_type="application/json")
    response.headers["Vary"] = "Accept"
    return response


def prefers_html(accept: str) -> bool:
    """True when the header names text/html, and JSON with no higher quality."""
    html = quality(accept, "text/html")
    return html > 0 and html >= quality(accept, "application/json")
