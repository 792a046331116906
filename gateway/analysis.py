"""The one use case: ask the right service, within its lane, and complete the answer.

Shared by /v1 and the compatibility routes, so no rule can be bypassed through either. HTTP,
uploads and the record of the request live elsewhere.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from contracts.errors import ServiceError
from contracts.modality import Modality
from contracts.schemas import Explanation, Prediction, Reason, Recognition
from gateway.client import InferenceClient, Picture, PictureForm
from gateway.lanes import Lane
from gateway.metrics import GatewayMetrics
from gateway.question import Question
from serving.timing import Stopwatch


def new_prediction_id() -> str:
    """Return a fresh random id of 32 hexadecimal digits."""
    return uuid.uuid4().hex


class Analysis:
    """Answers questions. Raises what the client and the lane raise (see there)."""

    def __init__(
        self,
        client: InferenceClient,
        lanes: Mapping[str, Lane],
        metrics: GatewayMetrics,
        new_id: Callable[[], str] = new_prediction_id,
    ) -> None:
        """`lanes` has one entry per modality that is offered."""
        self._client = client
        self._lanes = lanes
        self._metrics = metrics
        self._new_id = new_id

    def check(self, modality: Modality) -> None:
        """Raise ModalityUnavailable or Overloaded if a question would be refused right now."""
        with self._counted(modality.id):
            self._lanes[modality.id].check()

    def announce(self, modality_id: str) -> None:
        """As `check`, for a question whose body comes at once if it is not refused."""
        with self._counted(modality_id):
            self._lanes[modality_id].announce()

    async def predict(self, question: Question) -> Prediction:
        """Return the completed prediction: id, routes to other doors, timings."""
        async with self._lane(question) as stopwatch:
            prediction = await self._client.predict(question)
        self._metrics.answered(prediction)
        return self._complete(prediction, question, stopwatch)

    async def explain(self, question: Question) -> Explanation:
        """Return the explanation; its prediction is completed like any other."""
        async with self._lane(question) as stopwatch:
            explanation = await self._client.explain(question)
        self._metrics.answered(explanation.prediction)
        completed = self._complete(explanation.prediction, question, stopwatch)
        return explanation.model_copy(update={"prediction": completed})

    async def recognise(self, question: Question) -> Recognition:
        """Return which modality an image looks like."""
        async with self._lane(question):
            return await self._client.recognise(question)

    async def render(self, question: Question, form: PictureForm = "png") -> Picture:
        """Return the display picture of an input."""
        async with self._lane(question):
            return await self._client.render(question, form)

    @asynccontextmanager
    async def _lane(self, question: Question) -> AsyncIterator[Stopwatch]:
        """Pass the modality's lane; count a failure."""
        stopwatch, modality = Stopwatch(), question.modality.id
        with self._counted(modality):
            async with self._lanes[modality].call(question.deadline, stopwatch):
                yield stopwatch

    @contextmanager
    def _counted(self, modality_id: str) -> Iterator[None]:
        """Count an error of ours."""
        try:
            yield
        except ServiceError as error:
            self._metrics.failed(modality_id, error)
            raise

    def _complete(
        self, prediction: Prediction, question: Question, stopwatch: Stopwatch
    ) -> Prediction:
        """Add what only the gateway knows."""
        return prediction.model_copy(
            update={
                "prediction_id": self._new_id(),
                "request_id": question.request_id,
                "reasons": [_with_route(reason, self._lanes) for reason in prediction.reasons],
                "timing_ms": prediction.timing_ms | stopwatch.timing_ms,
            }
        )


def _with_route(reason: Reason, offered: Collection[str]) -> Reason:
    """Name the route that takes such an input, if it is offered here."""
    if reason.looks_like not in offered:
        return reason
    return reason.model_copy(update={"route": f"/v1/{reason.looks_like}/predictions"})
