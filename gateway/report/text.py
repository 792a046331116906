"""Make foreign text harmless for a page: no control characters, no reordering, bounded length.

Markup needs no care here: the HTML template escapes, and typst gets every text as data.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from gateway.report.page import Page

MAX_CHARACTERS = 600
REPLACEMENT = "\u25a1"
#: What the fonts of the PDF can show: Latin to Cyrillic, Hebrew, punctuation, arrows, mathematics.
_SHOWN = re.compile(
    "[^ -~\u00a0-\u00ac\u00ae-\u036f\u0370-\u04ff\u05d0-\u05ea"
    "\u2010-\u2027\u2030-\u203a\u2190-\u22ff\u25a0-\u25ff]"
)


def harmless(text: str) -> str:
    """Return one line without control or format characters, at most 600 characters long.

    Format characters include those that reorder what is read (U+202E and its kind).
    """
    spaced = " ".join(text.split())
    kept = "".join(c for c in spaced if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co"))
    return kept if len(kept) <= MAX_CHARACTERS else kept[: MAX_CHARACTERS - 1] + "…"


def printable(text: str) -> str:
    """Return the text with a box for every character that no font of the PDF holds."""
    composed = unicodedata.normalize("NFC", text)
    return _SHOWN.sub(REPLACEMENT, composed)


def plain_of(page: Page, change: Callable[[str], str]) -> dict[str, Any]:
    """Return the page as nested dicts and lists, with each text changed."""
    return {name: _changed(value, change) for name, value in asdict(page).items()}


def _changed(value: object, change: Callable[[str], str]) -> object:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _changed(one, change) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(one, change) for one in value]
    return value
