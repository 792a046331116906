"""The desk: what every route of an inference service needs, and how one request is handled."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel

from contracts.errors import ModelUnavailable, UnsupportedMediaType
from contracts.modality import Modality
from contracts.schemas import Prediction
from serving.admission import Admission
from serving.body import Pace, read_body
from serving.deadline import deadline_of
from serving.disconnect import run_while_connected
from serving.health import HealthState, Phase
from serving.holder import Engine, ModelHolder
from serving.scope import note
from serving.timing import server_timing

Answer = TypeVar("Answer")


class AnswerMetrics(Protocol):
    """Where answers are counted."""

    def record_answer(self, outcome: str, timing_ms: dict[str, float]) -> None:
        """Count one answer and observe its stages."""


@dataclass(frozen=True, slots=True)
class Desk(Generic[Engine]):
    """What every route needs; made once by the app.

    A table that is declared as something else is refused unread; of a picture the bytes decide.
    """

    modality: Modality
    holder: ModelHolder[Engine]
    health: HealthState
    admission: Admission
    metrics: AnswerMetrics
    deadline_seconds: float
    pace: Pace

    @property
    def engine(self) -> Engine:
        """Return the engine; raise ModelUnavailable (503) when there is none, or a damaged one."""
        if self.health.phase is Phase.LOADING:
            raise ModelUnavailable("The model is being loaded.", retry_after_seconds=2)
        engine = self.holder.engine
        if self.health.phase is Phase.FAILED:
            raise ModelUnavailable("The model failed its quality control.", retry_after_seconds=30)
        return engine

    async def serve(
        self, request: Request, work: Callable[[Engine, bytes], Awaitable[Answer]]
    ) -> Answer:
        """Take a place, read the body, and work within the deadline while the caller is there."""
        engine = self.engine
        note(request.scope, modality=self.modality.id)
        if not self.modality.is_image:
            self._check_media_type(request)
        with self.admission.slot():
            deadline = deadline_of(request, self.deadline_seconds)
            payload = await read_body(request, self.modality.limits.max_bytes, self.pace)
            async with deadline.scope():

                async def run() -> Answer:
                    return await work(engine, payload)

                return await run_while_connected(request, run())

    def answer(self, request: Request, body: BaseModel, prediction: Prediction) -> Response:
        """Serialise an answer, count it, and tell the time of its stages."""
        self.metrics.record_answer(prediction.outcome.value, prediction.timing_ms)
        note(
            request.scope,
            outcome=prediction.outcome.value,
            media_type=prediction.input.media_type,
            model=prediction.model.version,
        )
        return Response(
            body.model_dump_json(),
            media_type="application/json",
            headers={"Server-Timing": server_timing(prediction.timing_ms)},
        )

    def _check_media_type(self, request: Request) -> None:
        """Raise UnsupportedMediaType (415) when the body is declared as something else."""
        declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if declared and declared not in self.modality.media_types:
            raise UnsupportedMediaType(f"Send {' or '.join(self.modality.media_types)}.")
