"""The words of the page, by key: one English catalogue that templates and scripts share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType


@cache
def catalogue() -> Mapping[str, str]:
    """Return every text of the page; `{name}` in a text is filled in where it is shown."""
    text = (files("gateway") / "strings.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))
