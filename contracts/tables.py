"""From JSON bytes to one checked row in the trained column order. Pure Python, no numpy.

`parse_json_object` is the one reader of JSON bodies for gateway and service: 400 when the bytes
are no JSON, 422 when the JSON says something that is not allowed, never a value in the message.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from contracts.errors import BadRequest, InvalidField, InvalidInput, PayloadTooLarge
from contracts.modality import Column, TableSpec

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

MAX_JSON_BYTES = 64 * 1024
MAX_JSON_DEPTH = 8
#: Digits of the longest number literal that is read; far beyond any measurement.
MAX_NUMBER_CHARS = 64

# Possessive, and the closing quote optional: linear in the length whatever the text.
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(r"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class TableRow:
    """One checked row: a number per column in trained order, None where nothing was given."""

    names: tuple[str, ...]
    values: tuple[float | None, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the columns that hold no value."""
        return tuple(
            name for name, value in zip(self.names, self.values, strict=True) if value is None
        )


def parse_json_object(
    payload: bytes, *, max_bytes: int = MAX_JSON_BYTES, max_depth: int = MAX_JSON_DEPTH
) -> dict[str, Json]:
    """Return the JSON object in `payload`, read strictly.

    Raises PayloadTooLarge (413); BadRequest (400) `malformed_json` for anything but JSON in plain
    UTF-8; InvalidInput (422) with `not_an_object`, `json_too_deep`, `duplicate_key`,
    `invalid_number` (NaN, Infinity, overflow, very long) or `invalid_text` (lone surrogate).
    """
    if len(payload) > max_bytes:
        raise PayloadTooLarge(f"The JSON body is too large. At most {max_bytes} bytes are read.")
    text = _decode_text(payload)
    _check_depth(text, max_depth)
    try:
        document = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_refuse_number,
            parse_float=_finite,
            parse_int=_short_integer,
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadRequest("The body is not well-formed JSON.", code="malformed_json") from error
    if not isinstance(document, dict):
        raise InvalidInput("The JSON body must be an object.", code="not_an_object")
    _check_surrogates(document)
    return document


def decode_table(
    document: Mapping[str, Json], spec: TableSpec, *, complete: bool = True
) -> TableRow:
    """Return the row of `document` in the column order of `spec`.

    `complete=False` lets required columns be absent, as in historical training data. Raises
    InvalidField (422) with the column's name and allowed range: `missing_field`,
    `unknown_field`, `invalid_field` (wrong type or name) or `out_of_range`.
    """
    names = tuple(column.name for column in spec.columns)
    if not document.keys() <= set(names):
        raise InvalidField(
            f"The object holds an unknown member. Known: {', '.join(names)}.", code="unknown_field"
        )
    values = tuple(
        _decode_value(document.get(column.name), column, needed=complete and column.required)
        for column in spec.columns
    )
    return TableRow(names, values)


def encode_table(row: TableRow, spec: TableSpec) -> dict[str, float | str | bool]:
    """Return the JSON object that `decode_table` reads back to the same row."""
    return {
        column.name: _public_value(value, column)
        for column, value in zip(spec.columns, row.values, strict=True)
        if value is not None
    }


def allowed(column: Column) -> str:
    """Say in words which values a column takes, with its unit."""
    if column.kind == "choice":
        return "one of " + ", ".join(name for name, _ in column.choices)
    if column.kind == "flag":
        return "true or false"
    kind = "a whole number" if column.kind == "integer" else "a number"
    unit = f" {column.unit}" if column.unit else ""
    return f"{kind} from {column.minimum:g} to {column.maximum:g}{unit}"


def _decode_text(payload: bytes) -> str:
    """Return the text of plain UTF-8 without a byte order mark; BadRequest otherwise."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("The JSON body must be UTF-8.", code="malformed_json") from error
    if text.startswith("\ufeff") or "\x00" in text:
        raise BadRequest(
            "The JSON body must be UTF-8 without a byte order mark.", code="malformed_json"
        )
    return text


def _check_depth(text: str, max_depth: int) -> None:
    """Raise InvalidInput before parsing when brackets outside strings nest too deep."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise InvalidInput(
                f"The JSON is nested too deep. At most {max_depth} levels are read.",
                code="json_too_deep",
            )


def _unique(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Build an object, refusing a key that stands twice (the last would win silently)."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidInput("A member stands twice in one object.", code="duplicate_key")
    return document


def _refuse_number(_: str) -> NoReturn:
    """Refuse NaN and the infinities, which are not JSON numbers."""
    raise InvalidInput("Numbers must be finite.", code="invalid_number")


def _finite(literal: str) -> float:
    """Return a finite float; `1e999` is as little a number as Infinity."""
    if len(literal) > MAX_NUMBER_CHARS or not math.isfinite(value := float(literal)):
        _refuse_number(literal)
    return value


def _short_integer(literal: str) -> int:
    """Return an integer of bounded length, since conversion time grows with its square."""
    if len(literal) > MAX_NUMBER_CHARS:
        _refuse_number(literal)
    return int(literal)


def _check_surrogates(document: dict[str, Json]) -> None:
    """Raise InvalidInput for text that cannot be written back as UTF-8."""
    try:
        json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("The JSON holds invalid text.", code="invalid_text") from error


def _decode_value(value: Json, column: Column, *, needed: bool) -> float | None:
    """Return the number that stands for a member, None when it is absent or null."""
    if value is None:
        if needed:
            raise InvalidField(
                f"{column.name} is missing. It takes {allowed(column)}.",
                code="missing_field",
                field=column.name,
            )
        return None
    number = _to_number(value, column)
    if number is None:
        raise InvalidField(
            f"{column.name} takes {allowed(column)}.", code="invalid_field", field=column.name
        )
    low, high = column.minimum, column.maximum
    if (low is not None and number < low) or (high is not None and number > high):
        raise InvalidField(
            f"{column.name} takes {allowed(column)}.", code="out_of_range", field=column.name
        )
    return number


def _to_number(value: Json, column: Column) -> float | None:
    """Return the trained code of a value of the right JSON type, None for a wrong type."""
    if column.kind == "flag":
        return float(value) if isinstance(value, bool) else None
    if column.kind == "choice":
        return dict(column.choices).get(value) if isinstance(value, str) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if column.kind == "integer" and value != int(value):
        return None
    return float(value)


def _public_value(value: float, column: Column) -> float | str | bool:
    """Turn a trained code back into the public JSON value."""
    if column.kind == "flag":
        return bool(value)
    if column.kind == "choice":
        return next(name for name, code in column.choices if code == value)
    return value
