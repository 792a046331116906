"""From the bytes of one JSON body to one answer.

Parse, score, judge; all in one worker thread, so that the event loop is never held. Everything
the answer depends on comes from the model file.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from typing import Self, TypeVar

from contracts.schemas import Explanation, ModelInfo, Prediction
from contracts.table_score import TableScore
from contracts.tables import parse_json_object
from serving.timing import Stopwatch
from tabular_service.answer import answer
from tabular_service.explainer import explain
from tabular_service.model import QualityReport, TabularModel

Result = TypeVar("Result")
_WORKERS = 1


class TabularEngine(AbstractAsyncContextManager["TabularEngine"]):
    """One model, answering one document per call; open it with `async with`."""

    def __init__(self, model: TabularModel, threads: int = 1) -> None:
        """`model` has passed its golden cases; `threads` were pinned for each call."""
        self.model = model
        self._worker = ThreadPoolExecutor(_WORKERS, "score")
        self._threads = {"compute": threads, "infer_workers": _WORKERS}

    async def __aenter__(self) -> Self:
        """Score the golden cases once on the worker, so that the first caller waits for nothing."""
        await self.control()
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let the running call finish and end the thread."""
        self._worker.shutdown()

    async def predict(
        self, payload: bytes, *, request_id: str, prevalence: float | None = None
    ) -> Prediction:
        """Return the answer on one document.

        Raises BadRequest (400), PayloadTooLarge (413), InvalidInput and InvalidField (422)
        and ModelUnavailable (503) for a model that gives no finite number.
        """
        prediction, _ = await self._run(lambda: self._answer(payload, request_id, prevalence))
        return prediction

    async def explain(
        self, payload: bytes, *, request_id: str, prevalence: float | None = None
    ) -> Explanation:
        """Return the answer with its exact contributions; errors as `predict`."""
        prediction, score = await self._run(lambda: self._answer(payload, request_id, prevalence))
        return explain(prediction, score, self.model.release.decision)

    async def control(self) -> QualityReport:
        """Run the golden cases once more."""
        return await self._run(self.model.control)

    @property
    def info(self) -> ModelInfo:
        """What `GET /model` shows."""
        return self.model.info.model_copy(update={"threads": self._threads})

    def _answer(
        self, payload: bytes, request_id: str, prevalence: float | None
    ) -> tuple[Prediction, TableScore]:
        """The stages in their order; blocking."""
        watch = Stopwatch()
        with watch.stage("total"):
            with watch.stage("decode"):
                document = parse_json_object(
                    payload, max_bytes=self.model.modality.limits.max_bytes
                )
            with watch.stage("infer"):
                score = self.model.scorer.score(document)
            with watch.stage("judge"):
                prediction = answer(
                    payload, score, self.model, request_id=request_id, prevalence=prevalence
                )
        return prediction.model_copy(update={"timing_ms": watch.timing_ms}), score

    async def _run(self, call: Callable[[], Result]) -> Result:
        """Run a blocking call on the worker; a call that was not begun can be cancelled."""
        return await asyncio.get_running_loop().run_in_executor(self._worker, call)
