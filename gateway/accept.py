"""Which form a caller prefers, by the `Accept` header (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

FormT = TypeVar("FormT")


def preferred(accept: str, types: Mapping[FormT, str]) -> FormT:
    """Return the key of the media type with the highest quality that is named in full.

    Between equals, and where none is named, the first of `types` is taken.
    """
    return max(types, key=lambda form: quality(accept, types[form]))


def quality(accept: str, media_type: str) -> float:
    """Return the quality of a media type that is named in full, 0 when it is not."""
    for entry in accept.split(","):
        name, *parameters = (piece.strip().lower() for piece in entry.split(";"))
        if name == media_type:
            weights = [text[2:] for text in parameters if text.startswith("q=")]
            try:
                return float(weights[0]) if weights else 1.0
            except ValueError:
                return 0.0
    return 0.0
