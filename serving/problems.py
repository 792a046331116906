"""Turn every error into RFC 9457 problem details, without a word of the request.

Three doors: errors of `contracts.errors`, what the framework answers by itself (404, 405, 413,
422), and anything unforeseen. The last is caught by `ErrorBoundary`, which tells the caller the
request id alone and the log the place, never the exception's text, as that may quote the input.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import BadRequest, InvalidField, ServiceError
from contracts.schemas import Problem
from contracts.shortage import is_shortage, out_of_memory
from serving.scope import note, request_id_of

MEDIA_TYPE = "application/problem+json"
#: Answers that leave an unread body behind, so the connection cannot be used again.
_CLOSING = (408, 413)
_DEFAULT_RETRY_AFTER_SECONDS = 2
_FRAMEWORK = {
    404: ("not_found", "There is no such resource."),
    405: ("method_not_allowed", "This method is not allowed here."),
    413: ("payload_too_large", "The body is larger than this route allows."),
}
_log = logging.getLogger("serving.problems")


def problem_response(
    error: ServiceError,
    request_id: str,
    *,
    headers: dict[str, str] | None = None,
    extensions: dict[str, Any] | None = None,
) -> Response:
    """Return the problem body of an error; `extensions` are further members of ours."""
    problem = Problem(
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        retryable=error.retryable,
        field=error.field,
        **(extensions or {}),
    )
    extra = dict(headers or {})
    if error.status in (429, 503):
        seconds = error.retry_after_seconds
        extra["Retry-After"] = str(_DEFAULT_RETRY_AFTER_SECONDS if seconds is None else seconds)
    if error.status in _CLOSING:
        extra["Connection"] = "close"
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, status_code=error.status, headers=extra, media_type=MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Register the handlers for our errors and for those of the framework."""
    app.add_exception_handler(ServiceError, _on_service_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


class ErrorBoundary:
    """Outermost catcher: whatever escapes the app becomes a problem, and nothing is re-raised.

    When the answer has already begun, the exception goes on to the server, which cuts the
    connection: a broken answer must look broken.
    """

    def __init__(self, app: ASGIApp) -> None:
        """`app` is everything inside."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app and translate what it raises."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            note(scope, code="client_gone")
        except ServiceError as error:
            if started:
                raise
            await _answer(error, scope)(scope, receive, send)
        except Exception as error:
            unforeseen = _unforeseen(error, scope)
            if started:
                raise
            await _answer(unforeseen, scope)(scope, receive, send)


def _unforeseen(error: Exception, scope: Scope) -> ServiceError:
    """Log it; return the one text for everything unforeseen, and another for want of memory."""
    fields = {"fields": {"request_id": request_id_of(scope)}}
    if is_shortage(error):
        # Without its traceback: formatting one takes memory too.
        _log.error("out of memory", extra=fields)
        return out_of_memory()
    _log.error("unhandled exception", exc_info=error, extra=fields)
    return ServiceError("Something failed on our side. Quote the request id when you report it.")


def _answer(error: ServiceError, scope: Scope) -> Response:
    """Note the code for the log line and build the response."""
    note(scope, code=error.code)
    return problem_response(error, request_id_of(scope), extensions=dict(error.members))


async def _on_service_error(request: Request, error: Exception) -> Response:
    """An error of ours."""
    assert isinstance(error, ServiceError)
    return _answer(error, request.scope)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """What the framework raises: its status, our words; `Allow` and the like are kept."""
    assert isinstance(error, HTTPException)
    status = error.status_code
    code, detail = _FRAMEWORK.get(status, ("malformed_request", "The request is malformed."))
    translated = ServiceError(detail, code=code)
    translated.status = status
    translated.title = HTTPStatus(status).phrase
    note(request.scope, code=code)
    return problem_response(
        translated, request_id_of(request.scope), headers=dict(error.headers or {})
    )


async def _on_validation_error(request: Request, error: Exception) -> Response:
    """A parameter or member failed validation: name our field and the kind of fault only."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    kind = str(first["type"])
    if kind == "json_invalid":
        return _answer(BadRequest("The body is no valid JSON."), request.scope)
    field = _own_field(request, first)
    subject = f"The field '{field}'" if field else "A field"
    return _answer(
        InvalidField(f"{subject} was refused: {kind.replace('_', ' ')}.", field=field),
        request.scope,
    )


def _own_field(request: Request, fault: dict[str, Any]) -> str | None:
    """Return the field's name when it is one of ours; a key that was sent is never repeated."""
    location = fault["loc"]
    if fault["type"] == "extra_forbidden" or len(location) < 2:
        return None
    place, name = location[0], location[1]
    if place in ("query", "path", "header", "cookie"):
        return str(name)
    body = getattr(request.scope.get("route"), "body_field", None)
    members = getattr(getattr(body, "field_info", None), "annotation", None)
    return str(name) if name in getattr(members, "model_fields", {}) else None
