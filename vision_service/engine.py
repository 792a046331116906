"""From the bytes of one input to one prediction, many at a time.

Reads top to bottom in the order of the data: decode, measure and preprocess, infer, judge. On a CPU
one thread does all of it for one input, as handing it on costs more than it gains; on CUDA inputs
meet in a batch in between. Everything the answer depends on comes from the model file.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import partial
from typing import Self, TypeVar

import torch
from PIL import Image
from torch import Tensor

from contracts.images import decode_image
from contracts.modality import Limits
from contracts.network import Output
from contracts.schemas import Explanation, ModelInfo, Prediction, Recognition
from serving.batcher import Batcher
from serving.crew import Crew
from serving.threads import give_way
from serving.timing import Stopwatch
from vision_service.answer import Options
from vision_service.backends.torch import CUDA_SIZES
from vision_service.describe import describe
from vision_service.display import render_display, render_svg
from vision_service.explanation import explain
from vision_service.heap import give_back
from vision_service.model import VisionModel
from vision_service.overlay import encode_png
from vision_service.prepare import Prepared, prepare
from vision_service.quality_control import QualityControl, QualityReport
from vision_service.spare import Spare
from vision_service.stages import Inquiry, answer, averaged, finish, look, views_of
from vision_service.threads import ThreadPlan
from vision_service.validity import recognise_input

Result = TypeVar("Result")
_MAX_EXPLANATIONS_WAITING = 16
_MEETING_SECONDS = 5.0


def _ignore(_size: int) -> None:
    """Let nobody hear it."""


class VisionEngine(AbstractAsyncContextManager["VisionEngine"]):
    """One model on one device, answering one input per call; open it with `async with`."""

    def __init__(
        self,
        model: VisionModel,
        threads: ThreadPlan,
        *,
        max_batch: int = 1,
        max_batch_wait_ms: float = 0.0,
        max_queue: int = 64,
        on_batch: Callable[[int], object] = _ignore,
    ) -> None:
        """`max_batch` above 1 pays on CUDA only; `on_batch` hears the size of each batch."""
        self.model = model
        self._threads = threads
        self._max_batch = max_batch
        self._on_batch = on_batch
        self._is_whole = max_batch == 1 and model.backend.device == "cpu"
        self._runners = ThreadPoolExecutor(threads.infer_workers, "infer", give_way)
        self._decoders = self._runners
        if not self._is_whole:
            self._decoders = ThreadPoolExecutor(threads.decode_workers, "decode", give_way)
        self._batcher: Batcher[Tensor, Output] = Batcher(
            self._infer,
            self._runners,
            max_batch=max_batch,
            max_wait_seconds=max_batch_wait_ms / 1000,
            max_queue=max_queue,
            workers=threads.infer_workers,
        )
        self._explanations: Batcher[Callable[[], Explanation], Explanation] = Batcher(
            _run_all,
            self._runners,
            max_batch=1,
            max_wait_seconds=0.0,
            max_queue=_MAX_EXPLANATIONS_WAITING,
        )
        self._crew = Crew(self._runners, size=threads.infer_workers, max_queue=max_queue)
        self._spare = Spare(self._runners, self._others_rest)
        self._control: QualityControl | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Warm up at every batch size that is used, then open the batchers. Failure is fatal."""
        self._stack.callback(self._decoders.shutdown)
        self._stack.callback(self._runners.shutdown)
        self._control = await self._in_thread(self._runners, self._warm_up)
        together = threading.Barrier(self._threads.infer_workers)
        run = partial(self._run_together, together)
        await asyncio.gather(
            *(self._in_thread(self._runners, run) for _ in range(self._threads.infer_workers))
        )
        await self._stack.enter_async_context(self._batcher)
        await self._stack.enter_async_context(self._explanations)
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Finish the running batches, answer every waiting caller, end the threads."""
        await self._stack.aclose()

    async def predict(
        self, payload: bytes, *, request_id: str, options: Options | None = None
    ) -> Prediction:
        """Return the answer on one input.

        An input that decodes but fails the quality limits is an answer (`rejected`) and never
        reaches the network. Raises UnsupportedMediaType (415), InvalidInput (422) and, at once
        when the queue is full, Overloaded (503).
        """
        prediction, _ = await self._predict(payload, request_id, options or Options())
        return prediction

    async def explain(
        self, payload: bytes, *, request_id: str, options: Options | None = None
    ) -> Explanation:
        """Return the answer and its influence map, or why there is none; errors as `predict`."""
        prediction, prepared = await self._predict(payload, request_id, options or Options())
        return await self._explanations.submit(partial(explain, prediction, prepared, self.model))

    async def recognise(self, payload: bytes) -> Recognition:
        """Say what kind of picture an input is, by the modality head alone; errors as `predict`."""
        if self._is_whole:
            output = await self._crew.run(
                partial(look, payload, self.model, self._infer_one, self._spare)
            )
        else:
            begin = partial(prepare, payload, self.model, Stopwatch())
            prepared = await self._in_thread(self._decoders, begin)
            output = await self._batcher.submit(prepared.tensor)
        return recognise_input(output, self.model)

    async def render(self, payload: bytes, *, svg: bool = False) -> bytes:
        """Return the upright display copy of an input as PNG, or a record as SVG.

        Errors as `predict`, and InvalidField (422) when a picture is to be an SVG.
        """
        draw = partial(render_svg if svg else render_display, payload, self.model)
        return await self._in_thread(self._decoders, draw)

    async def control(self) -> QualityReport:
        """Run the golden cases once more."""
        assert self._control is not None, "the engine is open"
        return await self._in_thread(self._runners, self._control.run)

    @property
    def info(self) -> ModelInfo:
        """What `GET /model` shows."""
        return describe(self.model, self._threads)

    @property
    def queue_length(self) -> int:
        """Inputs that wait for the network."""
        return self._batcher.queue_length + self._crew.queue_length

    async def _predict(
        self, payload: bytes, request_id: str, options: Options
    ) -> tuple[Prediction, Prepared]:
        """Return the answer with the time of its stages, and what was made of the input."""
        inquiry = Inquiry(payload, request_id, options)
        with inquiry.watch.stage("total"):
            if self._is_whole:
                whole = partial(answer, inquiry, self.model, self._infer_one, self._spare)
                prediction, prepared = await self._crew.run(whole)
            else:
                prediction, prepared = await self._in_batches(inquiry)
        timing_ms = inquiry.watch.timing_ms
        return prediction.model_copy(update={"timing_ms": timing_ms}), prepared

    async def _in_batches(self, inquiry: Inquiry) -> tuple[Prediction, Prepared]:
        """As `answer`, but the network sees several inputs at once."""
        begin = partial(prepare, inquiry.payload, self.model, inquiry.watch)
        prepared, output = await self._in_thread(self._decoders, begin), None
        if not prepared.rejections:
            with inquiry.watch.stage("infer"):
                views = views_of(prepared, inquiry, self.model)
                output = averaged(await asyncio.gather(*map(self._batcher.submit, views)))
        return finish(prepared, output, inquiry, self.model), prepared

    async def _in_thread(self, pool: ThreadPoolExecutor, call: Callable[[], Result]) -> Result:
        """Run a blocking call; one that was not begun can be cancelled."""
        return await asyncio.get_running_loop().run_in_executor(pool, call)

    def _warm_up(self) -> QualityControl:
        """Let every library allocate and plan, and take the control samples."""
        one = self.model.golden_batch[:1]
        for size in (*(size for size in CUDA_SIZES if size < self._max_batch), self._max_batch):
            self.model.backend.infer(one.expand(size, -1, -1, -1).contiguous())
        decode_image(encode_png(Image.new("RGB", (64, 64))), Limits())
        control = QualityControl(self.model)
        give_back()
        return control

    def _run_together(self, together: threading.Barrier) -> None:
        """Infer once on every worker at the same time, so that the room for it is taken now."""
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(timeout=_MEETING_SECONDS)
        self.model.backend.infer(self.model.golden_batch[:1])

    def _others_rest(self) -> bool:
        """True while the one input that is here leaves threads without work."""
        return self._threads.infer_workers > 1 and self._crew.inside == 1

    def _infer_one(self, tensor: Tensor) -> Output:
        """Run the backend on one input, on all cores while no other input is here."""
        self._on_batch(1)
        return self.model.backend.infer(tensor[None], alone=self._others_rest())

    def _infer(self, tensors: Sequence[Tensor]) -> Sequence[Output]:
        """Stack, run the backend, split. Runs on the batcher's executor."""
        self._on_batch(len(tensors))
        output = self.model.backend.infer(torch.stack(list(tensors)))
        return [
            Output(
                output.logits[row : row + 1],
                output.middle[row : row + 1],
                output.penultimate[row : row + 1],
            )
            for row in range(len(tensors))
        ]


def _run_all(calls: Sequence[Callable[[], Result]]) -> Sequence[Result]:
    """Run each call; the batcher hands over one at a time."""
    return [call() for call in calls]
