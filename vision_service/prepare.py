"""From the bytes of one input to the network's input: decode, measure, preprocess.

Runs in a thread: every step may take milliseconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PIL import Image
from torch import Tensor

from contracts.decoder import Decoded, decode_input
from contracts.preprocessing import normalise, reduced_side, to_canonical
from contracts.quality import judge_quality, measure
from contracts.schemas import InputFacts, Reason
from serving.timing import Stopwatch
from vision_service.halves import resize_shared
from vision_service.model import VisionModel
from vision_service.spare import NOBODY, Spare

if TYPE_CHECKING:
    from contracts.records import Waveform

Measured = float | str | bool | list[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """One input, ready for the network; with `rejections` it must not reach the network.

    With `doubts` it keeps its scores and gets no single answer.
    `canonical` is the upright picture, RGB or grey, at the network's size, `tensor` what was made
    of it, float32 `[3, H, W]`; `record` is the ECG record that the picture was drawn from, if any.
    """

    facts: InputFacts
    canonical: Image.Image
    tensor: Tensor
    measurements: dict[str, Measured]
    rejections: tuple[Reason, ...]
    warnings: tuple[Reason, ...]
    doubts: tuple[Reason, ...] = ()
    record: Waveform | None = None


def prepare(
    payload: bytes, model: VisionModel, watch: Stopwatch, spare: Spare = NOBODY
) -> Prepared:
    """Decode, measure and preprocess one input; `spare` takes what can be done beside.

    Raises UnsupportedMediaType (415) and InvalidInput (422).
    """
    with watch.stage("decode"):
        hashing = spare.begin(partial(_digest, payload))
        decoded = decode_input(
            payload,
            model.modality,
            render=model.checkpoint.release.render,
            keep_side=reduced_side(model.image),
            keep_grey=True,
        )
        digest = hashing()
    with watch.stage("preprocess"):
        canonical = to_canonical(decoded.image, model.image, partial(resize_shared, spare=spare))
        tensor = normalise(canonical, model.image)
    with watch.stage("quality"):
        measures = measure(canonical, min_side=min(decoded.width, decoded.height))
        rejections, warnings = judge_quality(measures, model.checkpoint.release.quality)
    measurements: dict[str, Measured] = {
        f"quality.{name}": round(value, 4) for name, value in measures.items()
    }
    unusable: list[Reason] = []
    doubts: list[Reason] = []
    if decoded.record is not None:
        from contracts.rhythm import measure_record
        from contracts.signal_quality import judge_signal

        with watch.stage("measure"):
            measurements |= measure_record(decoded.record)
            unusable, doubts = judge_signal(decoded.record)
    return Prepared(
        _facts(decoded, digest),
        canonical,
        tensor,
        measurements,
        rejections=(*unusable, *rejections),
        warnings=tuple(warnings),
        doubts=tuple(doubts),
        record=decoded.record,
    )


def _digest(payload: bytes) -> str:
    """Return the SHA-256 of the input in hexadecimal digits."""
    return hashlib.sha256(payload).hexdigest()


def _facts(decoded: Decoded, digest: str) -> InputFacts:
    """What was received, without the input itself."""
    return InputFacts(
        sha256=digest,
        media_type=decoded.media_type,
        width=decoded.width,
        height=decoded.height,
        mode=decoded.mode,
        bits=decoded.bits,
    )
