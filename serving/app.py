"""Assemble what every app of ours has: ids, logs, metrics, problems, probes, safe headers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from fastapi import FastAPI

from serving.draining import DrainingMiddleware
from serving.headers import SecurityHeadersMiddleware
from serving.health import HealthState, health_router
from serving.lag import LoopLag
from serving.logs import AccessLogMiddleware
from serving.metrics import MetricsMiddleware, RequestMetrics, metrics_router
from serving.problems import ErrorBoundary, install_problem_handlers
from serving.request_id import RequestIdMiddleware
from serving.tokens import InternalTokenMiddleware
from serving.tracing import Tracing, TracingMiddleware, tracing_of_environment


@dataclass(frozen=True, slots=True)
class Shell:
    """What the shell and the app share: readiness and metrics."""

    health: HealthState = field(default_factory=HealthState)
    metrics: RequestMetrics = field(default_factory=RequestMetrics)


def create_shell(
    title: str,
    *,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    shell: Shell,
    internal_token: str | None = None,
    app: FastAPI | None = None,
) -> FastAPI:
    """Return an app with everything but its own routes.

    `shell` is the caller's to keep; it is also on `app.state.shell`. With `internal_token` every
    route but the probes and `/metrics` needs it. An `app` made elsewhere (its own documentation
    pages, say) is completed instead of making one without documentation routes.
    """
    if app is None:
        app = FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url="/openapi.json")
    tracing = tracing_of_environment(title)
    app.router.lifespan_context = _watched(lifespan, shell.metrics.lag, tracing)
    app.router.redirect_slashes = False
    app.state.shell = shell
    install_problem_handlers(app)
    app.include_router(health_router(shell.health))
    app.include_router(metrics_router(shell.metrics.registry))
    if internal_token:
        app.add_middleware(InternalTokenMiddleware, token=internal_token)
    # The last one added is the outermost.
    app.add_middleware(ErrorBoundary)
    app.add_middleware(DrainingMiddleware, health=shell.health)
    app.add_middleware(SecurityHeadersMiddleware)
    app.add_middleware(MetricsMiddleware, metrics=shell.metrics)
    app.add_middleware(AccessLogMiddleware)
    if tracing is not None:
        app.add_middleware(TracingMiddleware, tracing=tracing)
    app.add_middleware(RequestIdMiddleware)
    return app


def _watched(
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    lag: LoopLag,
    tracing: Tracing | None,
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Return the lifespan with the lateness of the loop measured, and traces sent to their end."""

    @asynccontextmanager
    async def watched(app: FastAPI) -> AsyncIterator[None]:
        async with tracing.opened() if tracing else nullcontext(), lag.watched(), lifespan(app):
            yield

    return watched
