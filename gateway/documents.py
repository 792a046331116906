"""What the OpenAPI document says beyond what the framework finds out: bodies and errors."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from contracts.schemas import Problem

_PROBLEM_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_RETRY = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_REASONS = {
    400: "The request is not well formed.",
    401: "No valid API key came with the request.",
    403: "The key does not allow this.",
    404: "There is no such resource, or no such modality.",
    405: "This method is not allowed here.",
    408: "The body did not arrive in time.",
    409: "The request contradicts an earlier one with the same Idempotency-Key.",
    413: "The upload is larger than the limit.",
    415: "The bytes are of no type that is taken here, or are encoded.",
    422: "A field is missing, doubled, unknown or bad, or the input cannot be decoded.",
    429: "The caller's quota is used up.",
    502: "The service gave no usable answer.",
    503: "Model, modality, queue or audit store are not available at the moment.",
    504: "The service did not answer in time.",
}
#: Statuses that any analysis can end with.
ANALYSIS_ERRORS = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 502, 503, 504)
#: Statuses of reading something that a service has to be asked for.
SERVICE_ERRORS = (400, 401, 403, 404, 422, 429, 502, 503, 504)
#: Statuses of reading what the gateway knows by itself.
READ_ERRORS = (400, 401, 403, 404, 422, 429, 503)


def problems(statuses: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` argument of a route for these statuses."""
    return {status: _problem(status) for status in statuses}


def _problem(status: int) -> dict[str, Any]:
    """One documented error."""
    example = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=_REASONS[status],
        code=HTTPStatus(status).phrase.lower().replace(" ", "_"),
        request_id="0f8fad5b-d9cb-469f-a165-70867728950e",
        retryable=status in (429, 502, 503, 504),
    ).model_dump(exclude_none=True)
    content = {"application/problem+json": {"schema": _PROBLEM_SCHEMA, "example": example}}
    documented: dict[str, Any] = {"description": _REASONS[status], "content": content}
    if status in (429, 503):
        documented["headers"] = _RETRY
    return documented


def _binary(description: str) -> dict[str, Any]:
    return {"type": "string", "format": "binary", "description": description}


def _form(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": {
            "type": "object",
            "properties": {"file": schema},
            "required": ["file"],
            "additionalProperties": False,
        }
    }


_ONE = _binary("The input file.")
_FILES = {
    "oneOf": [
        _ONE,
        {
            "type": "array",
            "items": _binary("A WFDB header (.hea) or its samples (.dat)."),
            "minItems": 2,
            "maxItems": 2,
        },
    ]
}
IMAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": _form(_ONE),
            "image/jpeg": {"schema": _binary("A JPEG.")},
            "image/png": {"schema": _binary("A PNG.")},
        },
    }
}
ANY_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "An image, a WFDB record (two files, or one zip) or a JSON object, as "
        "/v1/modalities says for each modality. The first bytes decide the type.",
        "content": {
            "multipart/form-data": _form(_FILES),
            "image/jpeg": {"schema": _binary("A JPEG.")},
            "image/png": {"schema": _binary("A PNG.")},
            "application/zip": {"schema": _binary("A WFDB record: one .hea and one .dat.")},
            "application/json": {
                "schema": {"type": "object"},
                "examples": {
                    "symptoms": {"value": {"symptoms": ["cough", "high_fever", "fatigue"]}},
                    "heart-risk": {
                        "value": {
                            "age": 55,
                            "sex": "male",
                            "chest_pain": "asymptomatic",
                            "blood_pressure": 140,
                            "cholesterol": 250,
                            "max_heart_rate": 140,
                            "exercise_angina": True,
                        }
                    },
                },
            },
        },
    }
}
_HEADERS: list[dict[str, Any]] = [
    {
        "name": "X-Deadline-Ms",
        "in": "header",
        "required": False,
        "description": "Give up after this many milliseconds; can only shorten the deadline.",
        "schema": {"type": "integer", "minimum": 0, "maximum": 999999999},
    },
    {
        "name": "X-Request-ID",
        "in": "header",
        "required": False,
        "description": "Your id of this request, 1 to 64 of A-Z a-z 0-9 and hyphen; any other is "
        "replaced. The answer says it again.",
        "schema": {"type": "string"},
    },
]
_IDEMPOTENCY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same input gives the same answer for 15 minutes; "
    "with another input it is 409. The answer is kept, the input is not.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"},
}
#: Headers of a route that reads an input, and of one whose answer can be asked for again.
HEADERS: dict[str, Any] = {"parameters": _HEADERS}
REPEATABLE: dict[str, Any] = {"parameters": [*_HEADERS, _IDEMPOTENCY]}
