"""The text fields of a form, read strictly; what was sent is never repeated."""

from __future__ import annotations

import re

from contracts.errors import InvalidField

PATIENT_ID = re.compile(r"^[A-Za-z0-9._-]{0,64}$")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def read_patient_id(text: str | None) -> str | None:
    """Return the reference, None when it is absent or empty; InvalidField (422) otherwise."""
    if not text:
        return None
    if PATIENT_ID.fullmatch(text) is None:
        raise InvalidField(
            "patient_id takes at most 64 characters of A-Z a-z 0-9 . _ -", field="patient_id"
        )
    return text


def read_flag(name: str, text: str | None) -> bool | None:
    """Return true or false, None when it is absent; InvalidField (422) for other words."""
    if text is None:
        return None
    found = _FLAGS.get(text.lower())
    if found is None:
        raise InvalidField(f"{name} takes true, false, 1 or 0.", field=name)
    return found
