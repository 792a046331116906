"""Put one tabular service together: the shell, the model in the background, the routes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from contracts.modality import Kind, Modality
from contracts.registry import get_modality
from serving.admission import Admission
from serving.app import Shell, create_shell
from serving.body import Pace
from serving.cards import HeldModel, card_router
from serving.desk import Desk
from serving.holder import ModelHolder
from serving.settings import ServiceSettings, model_path
from tabular_service.engine import TabularEngine
from tabular_service.loader import Loader
from tabular_service.metrics import TabularMetrics
from tabular_service.routes import tabular_router


def create_app(settings: ServiceSettings, modality: Modality | None = None) -> FastAPI:
    """Return the app; its lifespan loads the model in the background, so probes answer at once.

    `modality` is for entries outside the registry. `app.state.loading` is the loading task.
    Raises UnknownModality, and ValueError for a modality that is no table.
    """
    modality = modality or get_modality(settings.modality)
    if modality.kind is not Kind.TABLE:
        raise ValueError(f"{modality.id} is not answered by this service")
    shell = Shell()
    admission = Admission(settings.max_queue)
    shell.health.add_check(admission.readiness)
    metrics = TabularMetrics(shell.metrics.registry)
    metrics.inside.set_function(lambda: admission.inside)
    holder: ModelHolder[TabularEngine] = ModelHolder()
    path = model_path(settings, ".skops")
    loader = Loader(path, modality, shell.health, holder, metrics, settings.threads)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.loading = asyncio.create_task(loader.load(stack))
            watching = asyncio.create_task(
                loader.watch(app.state.loading, settings.qc_interval_seconds)
            )
            try:
                yield
            finally:
                shell.health.mark_draining()
                holder.clear()
                for task in (watching, app.state.loading):
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task

    app = create_shell(
        f"MediFlow {modality.title}",
        lifespan=lifespan,
        shell=shell,
        internal_token=settings.token,
    )
    pace = Pace(deadline_seconds=settings.upload_seconds)
    desk = Desk(modality, holder, shell.health, admission, metrics, settings.deadline_seconds, pace)
    app.include_router(tabular_router(desk))
    app.include_router(card_router(lambda: HeldModel(desk.engine.info, path)))
    return app
