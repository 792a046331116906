"""GET /ui: the page for people. A browser gets it at / too."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.modality import Column
from gateway.about import NAME, NOTICE, VERSION
from gateway.dependencies import Parts
from gateway.strings import catalogue

router = APIRouter(include_in_schema=False)

#: Nothing inline and nothing foreign. Pictures of answers are data and blob addresses.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def in_words(name: str) -> str:
    """Return how a choice such as `typical_angina` is shown."""
    plain = name.replace("_", " ")
    return catalogue().get(f"choice.{name}", plain[:1].upper() + plain[1:])


def range_of(column: Column) -> str:
    """Return the unit and range of a column in words; empty when it has neither."""
    words = [column.unit] if column.unit else []
    if column.minimum is not None and column.maximum is not None:
        text = catalogue()["table.range"]
        words.append(text.format(minimum=f"{column.minimum:g}", maximum=f"{column.maximum:g}"))
    return ", ".join(words)


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(in_words=in_words, range_of=range_of)


@router.get("/ui")
async def draw(request: Request) -> HTMLResponse:
    """Return the page for the modalities that this gateway offers."""
    parts: Parts = request.app.state.parts
    html = _TEMPLATES.get_template("page.html").render(
        name=NAME,
        version=VERSION,
        notice=NOTICE,
        words=dict(catalogue()),
        modalities=parts.modalities,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})
