"""How the OpenAPI document describes the earlier routes: tag, deprecation, bodies, errors."""

from __future__ import annotations

from typing import Any

from gateway.compat.successors import TAG, documented_headers
from gateway.documents import REPEATABLE, problems

_PICTURE = {"type": "string", "format": "binary", "description": "One JPEG or PNG."}


def route_facts(statuses: tuple[int, ...], body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the arguments that all routes here share; `body` is an OpenAPI request body."""
    documented = problems(statuses)
    documented[200] = {"headers": documented_headers()}
    facts: dict[str, Any] = {"tags": [TAG], "deprecated": True, "responses": documented}
    if body is not None:
        facts["openapi_extra"] = {"requestBody": body} | REPEATABLE
    return facts


def form_body(file_field: str, **texts: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a form with one picture and some text fields."""
    schema = {
        "type": "object",
        "properties": {file_field: _PICTURE, **texts},
        "required": [file_field],
        "additionalProperties": False,
    }
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def json_body(schema: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a JSON object."""
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }
