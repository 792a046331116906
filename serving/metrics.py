"""Prometheus metrics of requests, labelled by route template, in a registry of the app's own."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.lag import LoopLag
from serving.logs import method_of
from serving.scope import route_template_of

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class RequestMetrics:
    """Rate, errors and duration of requests. Add further metrics to `registry`."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        """Without a registry an own one is made, so that two apps in one process never mix."""
        self.registry = CollectorRegistry() if registry is None else registry
        ProcessCollector(registry=self.registry)
        self.lag = LoopLag(self.registry)
        self._requests = Counter(
            "http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "http_request_seconds",
            "Seconds from the first line of a request to its last byte.",
            ("route",),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._running = Gauge(
            "http_requests_running", "Requests being answered.", registry=self.registry
        )

    def begin(self) -> None:
        """A request came in."""
        self._running.inc()

    def finish(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """A request ended; status 0 means that nobody was there to be answered."""
        self._running.dec()
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)


class MetricsMiddleware:
    """Pure ASGI: counts and times each request."""

    def __init__(
        self, app: ASGIApp, metrics: RequestMetrics, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`clock` returns seconds."""
        self._app = app
        self._metrics = metrics
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on and record the end."""
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

        self._metrics.begin()
        try:
            await self._app(scope, receive, watch)
        finally:
            self._metrics.finish(
                method=method_of(scope),
                route=route_template_of(scope),
                status=status,
                seconds=self._clock() - started,
            )


def metrics_router(registry: CollectorRegistry) -> APIRouter:
    """Return `GET /metrics` in Prometheus text format."""
    router = APIRouter(tags=["health"])

    @router.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        """All metrics of this process."""
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    return router
