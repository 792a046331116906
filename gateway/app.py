"""The composition root: every outside thing enters here, and one lifespan owns all of it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2
from fastapi import FastAPI

from contracts.modality import Modality
from contracts.registry import MODALITIES
from gateway import docs
from gateway.about import NAME, NOTICE, VERSION
from gateway.assembly import build_parts, open_upstreams
from gateway.compat.dialect import DialectMiddleware
from gateway.compat.routers import ROUTERS
from gateway.dependencies import Parts
from gateway.middleware import our_middleware
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
from gateway.static_files import CheckedFiles
from gateway.store import Store, open_store
from gateway.unread import CloseUnreadMiddleware
from serving.app import Shell, create_shell

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
            upstreams = await open_upstreams(settings, offered, transport, stack)
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
        middleware=our_middleware(settings, store, parts),
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


def _store_state(store: Store) -> str | None:
    """Readiness: without a record there is no result."""
    return None if store.audit.available else "audit_unavailable"
