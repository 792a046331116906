"""The stages of one input in the order of the data: decode, measure, preprocess, infer, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from contracts.network import Output
from contracts.schemas import Prediction
from serving.timing import Stopwatch
from vision_service.answer import Options, judged, rejected
from vision_service.model import VisionModel
from vision_service.prepare import Prepared, prepare
from vision_service.spare import NOBODY, Spare


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One input and what was asked of it; the stopwatch is that of its answer."""

    payload: bytes
    request_id: str
    options: Options = field(default_factory=Options)
    watch: Stopwatch = field(default_factory=Stopwatch)


def answer(
    inquiry: Inquiry,
    model: VisionModel,
    infer: Callable[[Tensor], Output],
    spare: Spare = NOBODY,
) -> tuple[Prediction, Prepared]:
    """Return the answer without its times, and what was made of the input.

    `infer` takes one tensor `[3, H, W]` and returns one row; `spare` as for `prepare`. Raises
    UnsupportedMediaType (415) and InvalidInput (422).
    """
    prepared, output = prepare(inquiry.payload, model, inquiry.watch, spare), None
    if not prepared.rejections:
        with inquiry.watch.stage("infer"):
            output = averaged([infer(view) for view in views_of(prepared, inquiry, model)])
    return finish(prepared, output, inquiry, model), prepared


def look(
    payload: bytes,
    model: VisionModel,
    infer: Callable[[Tensor], Output],
    spare: Spare = NOBODY,
) -> Output:
    """Return what the network makes of one input, fit for an answer or not; see `answer`."""
    return infer(prepare(payload, model, Stopwatch(), spare).tensor)


def views_of(prepared: Prepared, inquiry: Inquiry, model: VisionModel) -> list[Tensor]:
    """Return the input, or its views when several are asked for and the model has them."""
    if model.views is None or not inquiry.options.use_tta:
        return [prepared.tensor]
    return model.views.of(prepared.tensor)


def averaged(outputs: Sequence[Output]) -> Output:
    """Return the output of one input, its logits averaged over its views."""
    if len(outputs) == 1:
        return outputs[0]
    logits = torch.stack([output.logits for output in outputs]).mean(dim=0)
    return replace(outputs[0], logits=logits)


def finish(
    prepared: Prepared, output: Output | None, inquiry: Inquiry, model: VisionModel
) -> Prediction:
    """Judge the output; without one, as the input was unfit for the network, it is rejected."""
    if output is None:
        return rejected(prepared, prepared.rejections, model, inquiry.request_id)
    with inquiry.watch.stage("judge"):
        return judged(prepared, output, model, inquiry.request_id, inquiry.options)
