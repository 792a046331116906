"""Plain values: what a model file and a JSON document may hold, free of numpy's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested dicts, lists, text, finite numbers, booleans and None only.

    Raises ValueError for a number that is not finite and TypeError for anything else.
    """
    return {str(key): _plain(value) for key, value in values.items()}


def _plain(value: object) -> object:
    """One value of any depth."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return plain_values(value)
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, int | float):
        return _finite(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def _finite(value: int | float) -> int | float:
    """The number itself; NaN and infinity are refused."""
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    return value
