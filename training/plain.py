"""Plain values: what a model file and a JSON document may hold, free of numpy's numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def plain_values(value: Any) -> Any:
    """Return dicts with text keys, lists, text, finite numbers, booleans and None only.

    Raises ValueError for a number that is not finite and TypeError for anything else.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain_values(value.tolist())
    if isinstance(value, list | tuple):
        return [plain_values(item) for item in value]
    if isinstance(value, np.generic):
        return plain_values(value.item())
    if isinstance(value, int | float):
        return _finite(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def _finite(value: int | float) -> int | float:
    """The number itself; NaN and infinity are refused."""
    if not math.isfinite(value):
        raise ValueError("a number is not finite")
    return value
