"""The bytes of a problem that is written in the app's place, on a connection that then closes."""

from __future__ import annotations

from http import HTTPStatus

from contracts.errors import ServiceError
from serving.headers import DEFAULT_HEADERS
from serving.problems import problem_response
from serving.request_id import HEADER, new_request_id


def last_answer(error: ServiceError, request_id: str | None = None) -> bytes:
    """Return status line, headers and body of an error; without an id it gets one."""
    request_id = request_id or new_request_id()
    response = problem_response(error, request_id)
    ours = {**DEFAULT_HEADERS, HEADER: request_id, "Connection": "close"}
    lines = [f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in ours.items()]
    lines += [
        f"{name}: {value}" for name, value in response.headers.items() if name != "connection"
    ]
    head = "\r\n".join([*lines, "", ""])
    return head.encode() + bytes(response.body)
