"""Load the model, hold it while it is right, and keep an eye on it.

Missing and wrong differ: without a file the process lives and says so, a wrong file stops it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from pathlib import Path

from contracts.errors import BadCheckpoint
from contracts.modality import Modality
from serving.control import unless_starved
from serving.health import HealthState
from serving.holder import ModelHolder
from tabular_service.engine import TabularEngine
from tabular_service.metrics import TabularMetrics
from tabular_service.model import load_model

EXIT_BAD_MODEL = 78
EXIT_LOAD_FAILED = 70
_log = logging.getLogger("tabular_service.loader")


class Loader:
    """Moves readiness by what it finds."""

    def __init__(
        self,
        path: Path,
        modality: Modality,
        health: HealthState,
        holder: ModelHolder[TabularEngine],
        metrics: TabularMetrics,
        threads: int,
    ) -> None:
        """Does nothing yet; `threads` are those that one inference call computes on."""
        self._path = path
        self._modality = modality
        self._health = health
        self._holder = holder
        self._metrics = metrics
        self._threads = threads

    async def load(self, stack: AsyncExitStack) -> None:
        """Load, self-test and hold the engine; `stack` closes it."""
        fields = {"file": self._path.name}
        try:
            model = await asyncio.to_thread(load_model, self._path, self._modality)
            engine = await stack.enter_async_context(TabularEngine(model, self._threads))
        except FileNotFoundError:
            self._health.mark_failed("model_missing")
            _log.error("no model file", extra={"fields": fields})
        except BadCheckpoint as error:
            self._health.mark_fatal("model_refused", EXIT_BAD_MODEL)
            _log.critical("model refused", extra={"fields": fields | {"reason": str(error)}})
        except Exception as error:
            self._health.mark_fatal("model_load_failed", EXIT_LOAD_FAILED)
            _log.critical("model could not be loaded", exc_info=error)
        else:
            self._holder.put(engine)
            self._health.mark_ready()
            _log.info("ready", extra={"fields": {"modality": self._modality.id}})

    async def watch(self, loading: asyncio.Task[None], interval_seconds: float) -> None:
        """Run the golden cases for ever; what deviates answers no more until it is right."""
        await asyncio.shield(loading)
        while not self._holder.is_empty:
            await asyncio.sleep(interval_seconds)
            await self.control_once()

    async def control_once(self) -> None:
        """Run the golden cases and move readiness accordingly; without memory, next time."""
        report = await unless_starved(self._holder.engine.control())
        if report is None:
            return
        self._metrics.record_control(report)
        if report.reason is None:
            self._health.mark_ready()
            return
        self._health.mark_failed("quality_control_failed")
        _log.critical(
            "quality control failed",
            extra={"fields": {"reason": report.reason, "deviation": report.deviation}},
        )
