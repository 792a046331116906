"""A caller's own reference for a patient: opaque, short, and stored as a keyed hash only."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Request
from pydantic import StringConstraints

from contracts.errors import InvalidField

#: Opaque: no spaces and no letters beyond ASCII, so that a name does not fit by accident.
PATTERN = r"^[A-Za-z0-9._:/-]{1,64}$"
PatientReference = Annotated[str, StringConstraints(pattern=PATTERN)]
HEADER = "X-Patient-Reference"
PATIENT_HEADER: dict[str, Any] = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Your own opaque reference, never a name. It stands on the report; only a "
    "keyed hash of it is stored.",
    "schema": {"type": "string", "pattern": PATTERN},
}


async def patient_reference_of(request: Request) -> str | None:
    """Return the reference in the header, None when there is none; InvalidField (422) if bad."""
    sent = request.headers.getlist(HEADER)
    if not sent:
        return None
    if len(sent) > 1 or re.fullmatch(PATTERN, sent[0]) is None:
        raise InvalidField(
            f"{HEADER} takes 1 to 64 characters of A-Z a-z 0-9 . _ : / -, once.", field=HEADER
        )
    return sent[0]
