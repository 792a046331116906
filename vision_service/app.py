"""Put one vision service together: the shell, the model in the background, the routes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from contracts.errors import BadCheckpoint
from contracts.modality import Modality
from contracts.registry import get_modality
from serving.admission import Admission
from serving.app import Shell, create_shell
from serving.body import Pace
from serving.cards import HeldModel, card_router
from serving.control import unless_starved
from serving.desk import Desk
from serving.health import HealthState
from serving.holder import ModelHolder
from serving.settings import ServiceSettings, model_path
from vision_service.compiling import compile_apart
from vision_service.engine import VisionEngine
from vision_service.metrics import VisionMetrics
from vision_service.model import ModelOptions, load_model
from vision_service.routes import vision_router
from vision_service.threads import pin_torch, plan_threads

EXIT_BAD_MODEL = 78
EXIT_LOAD_FAILED = 70
_log = logging.getLogger("vision_service.app")


def create_app(settings: ServiceSettings, modality: Modality | None = None) -> FastAPI:
    """Return the app; its lifespan loads the model in the background, so probes answer at once.

    `modality` is for entries outside the registry. `app.state.loading` is the loading task and
    `app.state.engine_holder` holds what it loaded.
    """
    modality = modality or get_modality(settings.modality)
    shell = Shell()
    admission = Admission(settings.max_queue)
    shell.health.add_check(admission.readiness)
    metrics = VisionMetrics(shell.metrics.registry)
    metrics.inside.set_function(lambda: admission.inside)
    holder: ModelHolder[VisionEngine] = ModelHolder()
    metrics.queued.set_function(lambda: 0 if holder.is_empty else holder.engine.queue_length)
    loader = Loader(settings, modality, shell.health, holder, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            app.state.loading = asyncio.create_task(loader.load(stack))
            watching = asyncio.create_task(loader.watch(app.state.loading))
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
    app.state.engine_holder = holder
    pace = Pace(deadline_seconds=settings.upload_seconds)
    desk = Desk(modality, holder, shell.health, admission, metrics, settings.deadline_seconds, pace)
    app.include_router(vision_router(desk, use_tta=settings.use_tta))
    path = model_path(settings, ".pth")
    app.include_router(card_router(lambda: HeldModel(desk.engine.info, path)))
    return app


class Loader:
    """Loads the model, opens the engine, and keeps an eye on it."""

    def __init__(
        self,
        settings: ServiceSettings,
        modality: Modality,
        health: HealthState,
        holder: ModelHolder[VisionEngine],
        metrics: VisionMetrics,
    ) -> None:
        """Does nothing yet."""
        self._settings = settings
        self._modality = modality
        self._health = health
        self._holder = holder
        self._metrics = metrics

    async def load(self, stack: AsyncExitStack) -> None:
        """Load, warm, self-test and hold the engine; `stack` closes it.

        A missing file leaves the process without a model; a wrong one stops it.
        """
        path = model_path(self._settings, ".pth")
        try:
            engine = await asyncio.to_thread(self._build)
            await stack.enter_async_context(engine)
        except FileNotFoundError:
            self._health.mark_failed("model_missing")
            _log.error("no model file", extra={"fields": {"file": str(path)}})
        except BadCheckpoint as error:
            self._health.mark_fatal("model_refused", EXIT_BAD_MODEL)
            _log.critical(
                "model refused", extra={"fields": {"file": str(path), "reason": str(error)}}
            )
        except Exception as error:
            self._health.mark_fatal("model_load_failed", EXIT_LOAD_FAILED)
            _log.critical("model could not be loaded", exc_info=error)
        else:
            self._metrics.fell_back.set(engine.model.fell_back is not None)
            self._holder.put(engine)
            self._health.mark_ready()
            _log.info("ready", extra={"fields": {"modality": self._modality.id}})

    async def watch(self, loading: asyncio.Task[None]) -> None:
        """Run the control samples for ever; what deviates answers no more until it is right."""
        await asyncio.shield(loading)
        while not self._holder.is_empty:
            await asyncio.sleep(self._settings.qc_interval_seconds)
            await self.control_once()

    async def control_once(self) -> None:
        """Run the control samples and move readiness accordingly; without memory, next time."""
        report = await unless_starved(self._holder.engine.control())
        if report is None:
            return
        self._metrics.qc_runs.inc()
        self._metrics.qc_deviation.set(report.deviation)
        self._metrics.qc_failed.set(report.reason is not None)
        if report.reason is None:
            self._health.mark_ready()
        else:
            self._health.mark_failed("quality_control_failed")
            _log.critical(
                "quality control failed",
                extra={"fields": {"reason": report.reason, "deviation": report.deviation}},
            )

    def _build(self) -> VisionEngine:
        """Read the file and build the engine; blocking."""
        settings = self._settings
        pin_torch(settings.threads)
        model = load_model(
            model_path(settings, ".pth"),
            self._modality,
            ModelOptions(
                settings.backend,
                settings.device,
                settings.threads,
                plan_threads(settings.threads, settings.workers, cuda=False).alone,
                settings.cache_dir,
                compile_apart,
            ),
        )
        cuda = model.backend.device.startswith("cuda")
        return VisionEngine(
            model,
            plan_threads(settings.threads, settings.workers, cuda=cuda),
            max_batch=settings.max_batch if cuda else 1,
            max_batch_wait_ms=settings.max_batch_wait_ms if cuda else 0.0,
            max_queue=settings.max_queue,
            on_batch=self._metrics.batch_size.observe,
        )
