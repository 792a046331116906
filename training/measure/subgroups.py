"""Subgroups: the attributes by which figures are split, and the cases of each value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.manifest import Row
from training.metrics import Bools

#: Fewer cases are not shown: the interval would say nothing and a patient might be guessed.
MIN_CASES = 30
#: Attributes of a manifest that describe people, places or kinds of disease.
ATTRIBUTES = ("age", "sex", "site", "localization", "subtype", "dx_type", "device", "hospital")
_AGE_BANDS = ((18.0, "0-17"), (40.0, "18-39"), (60.0, "40-59"), (80.0, "60-79"), (999.0, "80+"))


@dataclass(frozen=True, slots=True)
class Subgroup:
    """The cases with one value of one attribute; `members` is bool `[N]`."""

    attribute: str
    value: str
    members: Bools


def subgroups(rows: Sequence[Row]) -> list[Subgroup]:
    """Return every subgroup of at least 30 cases; an unknown value forms none."""
    found = []
    for attribute in ATTRIBUTES:
        values = np.asarray([_value(attribute, row.attributes.get(attribute, "")) for row in rows])
        for value in sorted(set(values.tolist()) - {""}):
            members = np.asarray(values == value)
            if members.sum() >= MIN_CASES:
                found.append(Subgroup(attribute, value, members))
    return found


def _value(attribute: str, text: str) -> str:
    """The value to group by: a band for ages, the text itself otherwise."""
    text = text.strip()
    if attribute != "age" or not text:
        return text
    try:
        age = float(text)
    except ValueError:
        return ""
    return next((band for limit, band in _AGE_BANDS if 0 <= age < limit), "")
