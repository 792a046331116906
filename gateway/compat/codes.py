"""The heart factors of an earlier client: seven numbers, three of them codes.

Codes are those of the UCI repository: sex 1 male, 0 female; chest pain 1 to 4. A 0 for chest pain
is refused: another copy of the data counts from 0 to 3, and a shifted code is a clinical fault.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contracts.errors import InvalidField
from contracts.tables import Json

_CODES: dict[str, dict[int, Json]] = {
    "sex": {0: "female", 1: "male"},
    "chest_pain": {
        1: "typical_angina",
        2: "atypical_angina",
        3: "non_anginal",
        4: "asymptomatic",
    },
    "exercise_angina": {0: False, 1: True},
}
_MEMBERS = (
    "age",
    "sex",
    "blood_pressure",
    "cholesterol",
    "chest_pain",
    "max_heart_rate",
    "exercise_angina",
)
HEART_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        name: {"type": "integer", "enum": list(_CODES[name])}
        if name in _CODES
        else {"type": "number"}
        for name in _MEMBERS
    },
    "required": list(_MEMBERS),
    "additionalProperties": False,
}


def to_v1(document: Mapping[str, Json]) -> dict[str, Json]:
    """Return the row in the names of /v1; ranges and missing members are judged by the service.

    Raises InvalidField (422): `unknown_field`, `invalid_field` for a code that does not exist,
    `ambiguous_code` for chest pain 0.
    """
    if not document.keys() <= set(_MEMBERS):
        raise InvalidField(
            f"The object holds an unknown member. Known: {', '.join(_MEMBERS)}.",
            code="unknown_field",
        )
    return {name: _translate(name, value) for name, value in document.items()}


def _translate(name: str, value: Json) -> Json:
    """Return the name that a code stands for; other values as they are."""
    codes = _CODES.get(name)
    if codes is None or value is None:
        return value
    number = None if isinstance(value, bool) or not isinstance(value, int | float) else value
    if name == "chest_pain" and number == 0:
        raise InvalidField(
            "chest_pain 0 can mean two things. This route takes the UCI codes: 1 typical angina, "
            "2 atypical angina, 3 non-anginal pain, 4 asymptomatic.",
            code="ambiguous_code",
            field=name,
        )
    if number not in codes:
        raise InvalidField(
            f"{name} takes one of the codes {', '.join(map(str, codes))}.", field=name
        )
    return codes[int(number)]
