"""Print a page as one HTML document that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from gateway.about import NAME
from gateway.report.page import Page
from gateway.report.text import harmless, plain_of
from gateway.report.words import words


@cache
def _style() -> str:
    return (files("gateway.report") / "report.css").read_text(encoding="utf-8")


@cache
def policy() -> str:
    """Return the policy of a report: no script, one style sheet by its hash, pictures inside."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("gateway.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")


def to_html(page: Page) -> bytes:
    """Return the document, UTF-8; every text of the page is escaped."""
    sources = [
        # Base64 holds nothing to escape, and escaping a megabyte takes time.
        Markup("data:image/png;base64," + base64.b64encode(figure.png).decode())
        for figure in page.figures
    ]
    text = _template().render(
        page=plain_of(page, harmless),
        sources=sources,
        words=words(),
        brand=NAME,
        style=Markup(_style()),
        # Headers are lost when the file is saved; this one must not be.
        policy=policy().replace("; frame-ancestors 'none'", ""),
    )
    return text.encode()
