"""GET /ui: the page for people. A browser gets it at / too."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from contracts.errors import NotFound
from contracts.modality import Column, Modality
from gateway.about import NAME, NOTICE, VERSION
from gateway.dependencies import Parts, PartsDep
from gateway.samples import file_of, read_samples
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


def hint_of(column: Column) -> str:
    """Return unit, range and description of a column in words; empty when it has none."""
    words = [column.unit] if column.unit else []
    if column.minimum is not None and column.maximum is not None:
        text = catalogue()["table.range"]
        words.append(text.format(minimum=f"{column.minimum:g}", maximum=f"{column.maximum:g}"))
    return ". ".join(text for text in (", ".join(words), column.description) if text)


def named(modality: Modality, code: str) -> str:
    """Return the name of a label; empty when the modality has none of that code."""
    return next((label.name for label in modality.labels if label.code == code), "")


_FOLDER = Path(__file__).parents[1]
#: Named in the page, so that the browser fetches all of them at once.
_SCRIPTS = sorted(path.name for path in (_FOLDER / "static" / "page").glob("*.js"))
_TEMPLATES = Environment(
    loader=FileSystemLoader(_FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_TEMPLATES.filters.update(in_words=in_words, hint_of=hint_of, named=named)


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
        samples=read_samples(parts.settings.samples_dir),
        scripts=_SCRIPTS,
    )
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY})


@router.get("/ui/samples/{name:path}")
async def sample(parts: PartsDep, name: str) -> FileResponse:
    """Return one file of a sample; only files that the list names are served."""
    path = file_of(parts.settings.samples_dir, name)
    if path is None:
        raise NotFound("There is no such sample.")
    return FileResponse(path)
