"""Traces by OpenTelemetry, when OTEL_EXPORTER_OTLP_ENDPOINT names a collector.

A span holds method, route template, status and request id; never a path, a query, a header or the
text of an exception, as these may quote a patient. The trace of the caller goes on through the
gateway to the service.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.logs import method_of
from serving.scope import request_id_of, route_template_of

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
HEADER = "traceparent"
EXPORT_TIMEOUT_SECONDS = 2.0
_UNTRACED = frozenset({"/livez", "/readyz", "/metrics"})
_PARENT: ContextVar[str | None] = ContextVar("traceparent", default=None)
_log = logging.getLogger("serving.tracing")


def trace_headers() -> dict[str, str]:
    """Return the header that lets the next process continue this trace; empty without one."""
    parent = _PARENT.get()
    return {} if parent is None else {HEADER: parent}


class Tracing:
    """Where the spans of one process go."""

    def __init__(self, provider: TracerProvider) -> None:
        """Owns `provider`."""
        self._provider = provider
        self._tracer = provider.get_tracer("mediflow")

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Send at the end what was not sent yet."""
        try:
            yield
        finally:
            await asyncio.to_thread(self._provider.shutdown)

    async def run(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app within a span."""
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        sent = dict(scope["headers"]).get(HEADER.encode(), b"").decode("latin-1")
        context = TraceContextTextMapPropagator().extract({HEADER: sent})
        with self._tracer.start_as_current_span(
            method_of(scope),
            context=context,
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            token = _PARENT.set(_traceparent(span))
            try:
                await app(scope, receive, _watched(send, span))
            finally:
                _PARENT.reset(token)
                _describe(span, scope)


class TracingMiddleware:
    """Pure ASGI: one span per request, but for the probes."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        """`app` is everything inside."""
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on within a span."""
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
        else:
            await self._tracing.run(self._app, scope, receive, send)


def tracing_of_environment(name: str) -> Tracing | None:
    """Return where spans go, or None: no collector is named, or the `otel` extra is missing."""
    if not os.environ.get(ENDPOINT):
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        _log.warning("a collector is named, but the otel extra is not installed: no traces")
        return None
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    exporter = OTLPSpanExporter(timeout=EXPORT_TIMEOUT_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


def _watched(send: Send, span: Span) -> Send:
    """Return a `send` that notes the status."""

    async def watch(message: Message) -> None:
        if message["type"] == "http.response.start":
            span.set_attribute("http.response.status_code", message["status"])
        await send(message)

    return watch


def _describe(span: Span, scope: Scope) -> None:
    """Name the span when the route is known."""
    method, route = method_of(scope), route_template_of(scope)
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("mediflow.request_id", request_id_of(scope))


def _traceparent(span: Span) -> str:
    """Return the W3C form of where a span stands."""
    at = span.get_span_context()
    return f"00-{at.trace_id:032x}-{at.span_id:016x}-{int(at.trace_flags):02x}"
