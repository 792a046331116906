"""The composition root: every outside thing enters here, and one lifespan owns all of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware import Middleware

from contracts.modality import Modality
from contracts.registry import MODALITIES
from gateway import docs
from gateway.about import NAME, NOTICE, VERSION
from gateway.addresses import networks_of
from gateway.admission import AdmissionMiddleware
from gateway.analysis import Analysis
from gateway.client import InferenceClient, open_upstream
from gateway.compat.dialect import DialectMiddleware
from gateway.compat.routers import ROUTERS
from gateway.compression import CompressionMiddleware
from gateway.dependencies import Parts
from gateway.hosts import TrustedHostMiddleware
from gateway.lanes import open_lanes
from gateway.memory import BodyMemory
from gateway.metrics import GatewayMetrics
from gateway.readiness import ReadinessWatch
from gateway.recording import RecordingMiddleware
from gateway.report.office import ReportOffice
from gateway.report.pdf import PdfPress
from gateway.routes import (
    analyze,
    cards,
    catalogue,
    explanations,
    feedback,
    health,
    page,
    predictions,
    receipts,
    renderings,
    reports,
    symptoms,
)
from gateway.settings import GatewaySettings
from gateway.shedding import SheddingMiddleware
from gateway.static_files import CheckedFiles
from gateway.store import Store, open_store
from gateway.unread import CloseUnreadMiddleware
from gateway.upload import UploadReader
from gateway.upstream import Upstream
from serving.app import Shell, create_shell
from serving.body import Pace

ROUTES = (
    analyze.router,  # before the routes with a modality in their path
    predictions.router,
    explanations.router,
    renderings.router,
    reports.router,
    catalogue.router,
    cards.router,
    symptoms.router,
    receipts.router,
    feedback.router,
    health.router,
    docs.router,
    page.router,
)
#: Headers of an answer that a browser's script may read.
EXPOSED_HEADERS = [
    "X-Request-ID",
    "Retry-After",
    "Server-Timing",
    "Content-Disposition",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
]
#: Connections beyond the concurrency limit: readiness polls, model facts, cards.
SPARE_CONNECTIONS = 4


def create_app(
    settings: GatewaySettings,
    transport: httpx2.AsyncBaseTransport | None = None,
    clock: Callable[[], float] = time.monotonic,
    modalities: tuple[Modality, ...] = MODALITIES,
) -> FastAPI:
    """Return the gateway.

    `transport` replaces the network to the services, `clock` (monotonic) drives deadlines and
    breakers. Nothing is opened before the lifespan runs.
    """
    offered = offered_modalities(settings, modalities)
    shell = Shell()

    def store() -> Store:
        opened: Store = app.state.store
        return opened

    def parts() -> Parts:
        built: Parts = app.state.parts
        return built

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.store = await stack.enter_async_context(open_store(settings, offered))
            upstreams = await _open_upstreams(settings, offered, transport, stack)
            app.state.parts = build_parts(settings, offered, store(), upstreams, shell, clock)
            stack.enter_context(parts().reports)
            await stack.enter_async_context(parts().watch)
            shell.health.add_check(lambda: _store_state(app.state.store))
            shell.health.mark_ready()
            yield
            shell.health.mark_draining()

    app = FastAPI(
        title=f"{NAME} API",
        version=VERSION,
        summary=NOTICE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        middleware=_middleware(settings, store, parts),
    )
    create_shell(NAME, lifespan=lifespan, shell=shell, app=app)
    app.add_middleware(DialectMiddleware)
    app.add_middleware(CloseUnreadMiddleware)
    _add_routes(app, offered)
    return app


def _add_routes(app: FastAPI, offered: tuple[Modality, ...]) -> None:
    """Put the routes, their document and the files of the page on the application."""
    for router in (*ROUTES, *ROUTERS):
        app.include_router(router)
    docs.complete_openapi(app, [modality.id for modality in offered])
    app.state.page = page.draw  # what a browser gets at /
    app.mount("/static", CheckedFiles(directory=Path(__file__).parent / "static"))


def offered_modalities(
    settings: GatewaySettings, modalities: tuple[Modality, ...]
) -> tuple[Modality, ...]:
    """Return the modalities of this gateway; raise ValueError for an upstream of none of them."""
    if not settings.upstreams:
        return modalities
    unknown = settings.upstreams.keys() - {modality.id for modality in modalities}
    if unknown:
        raise ValueError(f"upstreams name unknown modalities: {', '.join(sorted(unknown))}")
    return tuple(modality for modality in modalities if modality.id in settings.upstreams)


def build_parts(
    settings: GatewaySettings,
    modalities: tuple[Modality, ...],
    store: Store,
    upstreams: Mapping[str, Upstream],
    shell: Shell,
    clock: Callable[[], float],
) -> Parts:
    """Put the parts together; opens nothing."""
    client = InferenceClient(upstreams, token=settings.token)
    lanes = open_lanes(settings, clock, client.gates)
    metrics = GatewayMetrics(shell.metrics.registry)
    metrics.watch(lanes)
    analysis = Analysis(client, lanes, metrics)
    pace = Pace(
        deadline_seconds=settings.upload_seconds,
        grace_seconds=settings.upload_grace_seconds,
        minimum_bytes_per_second=settings.upload_bytes_per_second,
    )
    return Parts(
        settings=settings,
        modalities=modalities,
        store=store,
        analysis=analysis,
        reports=ReportOffice(analysis, client, PdfPress(settings.report_threads), modalities),
        client=client,
        lanes=lanes,
        reader=UploadReader(pace=pace, memory=BodyMemory(settings.max_body_memory_bytes)),
        watch=ReadinessWatch(
            client,
            [modality.id for modality in modalities],
            poll_seconds=settings.readiness_poll_seconds,
            each_round=store.revive,
        ),
        clock=clock,
    )


async def _open_upstreams(
    settings: GatewaySettings,
    modalities: tuple[Modality, ...],
    transport: httpx2.AsyncBaseTransport | None,
    stack: AsyncExitStack,
) -> dict[str, Upstream]:
    """Open the way to each service; the stack closes them."""
    return {
        modality.id: await stack.enter_async_context(
            open_upstream(
                settings.upstreams.get(modality.id, f"http://{modality.id}:8000"),
                connect_timeout_seconds=settings.connect_timeout_seconds,
                answer_timeout_seconds=settings.deadline_seconds,
                max_connections=settings.max_concurrency + SPARE_CONNECTIONS,
                transport=transport,
            )
        )
        for modality in modalities
    }


def _middleware(
    settings: GatewaySettings, store: Callable[[], Store], parts: Callable[[], Parts]
) -> list[Middleware]:
    """Return our own middleware, outermost first; the shell's lie around these."""
    stack = [Middleware(RecordingMiddleware, recorder=store)]
    if settings.trusted_hosts:
        stack.append(Middleware(TrustedHostMiddleware, hosts=settings.trusted_hosts))
    if settings.cors_origins:
        stack.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_credentials=settings.cors_credentials,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=EXPOSED_HEADERS,
            )
        )
    stack.append(
        Middleware(
            AdmissionMiddleware,
            gate=lambda: (store().authenticator, store().quotas),
            trusted_proxies=networks_of(settings.trusted_proxies),
        )
    )
    stack += [Middleware(SheddingMiddleware, parts=parts), Middleware(CompressionMiddleware)]
    return stack


def _store_state(store: Store) -> str | None:
    """Readiness: without a record there is no result."""
    return None if store.audit.available else "audit_unavailable"
