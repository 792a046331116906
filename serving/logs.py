"""One JSON line per event and one per request, without a value of the request.

Lines hold the request id, the route template, counts, timings and statuses. Paths, query
strings, header values, payloads and exception texts never appear: an exception is logged as its
class and the places it passed through.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TextIO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.scope import facts_of, request_id_of, route_template_of

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_log = logging.getLogger("serving.access")


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON; newlines and control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; `extra={"fields": {...}}` adds members."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = [
                f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(record.exc_info[2])
            ][-12:]
        return json.dumps(line, default=str, ensure_ascii=True)


def configure_logging(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send every logger of this process to one stream as JSON lines (standard error)."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers[:] = []
        logger.propagate = True
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    # At DEBUG these write out parts of what they read.
    for name in ("PIL", "httpx2", "httpcore2", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.access").disabled = True


class AccessLogMiddleware:
    """Writes one line when a request ends, whatever its end was."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` returns seconds."""
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Time the request and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = self._clock()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = route_template_of(scope)
            seconds = self._clock() - started
            request_id, method = request_id_of(scope), method_of(scope)
            log_request(request_id, method, route, status, seconds, facts_of(scope))


def log_request(
    request_id: str,
    method: str,
    route: str,
    status: int,
    seconds: float,
    facts: Mapping[str, str | int | None],
) -> None:
    """Write the line of one request, at DEBUG for a probe; `facts` as in `serving.scope`."""
    level = logging.DEBUG if route in PROBES else logging.INFO
    if _log.isEnabledFor(level):
        fields = {
            "request_id": request_id,
            "method": method,
            "route": route,
            "status": status,
            "ms": round(seconds * 1000, 1),
            **facts,
        }
        _log.log(level, "request", extra={"fields": fields})


PROBES = frozenset({"/livez", "/readyz", "/metrics"})


def method_of(scope: Scope) -> str:
    """Return the request method, or OTHER for one that HTTP does not name."""
    method = str(scope["method"])
    return method if method in METHODS else "OTHER"
