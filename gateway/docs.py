"""The API's own pages: /openapi.json, /docs and /redoc, without a foreign host or inline script."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse

from contracts.errors import NotFound
from contracts.schemas import Problem
from gateway.about import NAME

router = APIRouter(include_in_schema=False)

#: Scripts and styles come from here alone. Both pages set styles through the DOM; ReDoc also
#: searches in a worker made from a blob.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "redoc.standalone.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{name} API</title>
<link rel="icon" href="/docs/assets/favicon.png">
{style}
</head>
<body>
<main id="{anchor}"></main>
<script src="/docs/assets/{script}"></script>
<script src="/static/{init}"></script>
</body>
</html>
"""


def complete_openapi(app: FastAPI, modality_ids: Sequence[str]) -> None:
    """Make the app's document name the modalities of this gateway and the shape of a problem."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generate(), modality_ids)
        return generate()

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any], modality_ids: Sequence[str]) -> None:
    """Add to a generated document what the framework cannot know."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for operations in document["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if (parameter["in"], parameter["name"]) == ("path", "modality"):
                    parameter["schema"]["enum"] = list(modality_ids)


@router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    """The OpenAPI document."""
    app: FastAPI = request.app
    return JSONResponse(app.openapi())


@router.get("/docs")
async def swagger() -> HTMLResponse:
    """The API as a page on which it can be tried."""
    style = '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">'
    return _page("swagger-ui", "swagger-ui-bundle.js", "docs.js", style)


@router.get("/redoc")
async def redoc() -> HTMLResponse:
    """The API as a page to read."""
    return _page("redoc", "redoc.standalone.js", "redoc.js", "")


@router.get("/docs/assets/{name}")
async def asset(name: str) -> FileResponse:
    """A script or style of these pages, from the installed package."""
    if name not in _ASSETS:
        raise NotFound("There is no such file.")
    return FileResponse(
        Path(str(files("fastapi_offline"))) / "static" / name,
        media_type=_ASSETS[name],
        headers={"Cache-Control": "public, max-age=86400"},
    )


def _page(anchor: str, script: str, init: str, style: str) -> HTMLResponse:
    """Return one page under its policy."""
    html = _PAGE.format(name=NAME, anchor=anchor, script=script, init=init, style=style)
    return HTMLResponse(html, headers={"Content-Security-Policy": _POLICY})
