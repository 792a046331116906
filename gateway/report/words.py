"""The words of the report, and how numbers are written in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_SMALLEST = 0.001


@cache
def words() -> Mapping[str, str]:
    """Return every text of the report; `{name}` in a text is filled in where it is shown."""
    text = (files("gateway.report") / "words.json").read_text(encoding="utf-8")
    return MappingProxyType(json.loads(text))


def say(key: str, **values: object) -> str:
    """Return one text with its values filled in; raise KeyError for an unknown key."""
    return words()[key].format(**values)


def percent(p: float) -> str:
    """Return a probability as percent with one decimal; never a rounded 0 or 100."""
    if p < _SMALLEST:
        return f"< {_SMALLEST:.1%}".replace("%", " %")
    if p > 1 - _SMALLEST:
        return f"> {1 - _SMALLEST:.1%}".replace("%", " %")
    return f"{p:.1%}".replace("%", " %")


def number(value: float) -> str:
    """Return a number as a person writes it: no trailing zeros, thousands set off."""
    return f"{value:,.10g}" if abs(value) < 1e9 else f"{value:.3g}"


def plain(name: str) -> str:
    """Return a code such as `st_depression` as words."""
    text = name.replace("_", " ").replace(".", " ")
    return text[:1].upper() + text[1:]
