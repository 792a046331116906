"""Answer images and ECG records by the steps that serve, in batches, scores kept in any case.

bytes → decode → quality → preprocess → network → input checks → decision
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from contracts.checkpoint import Checkpoint, build_from
from contracts.decoder import decode_input
from contracts.errors import InvalidInput, ServiceError
from contracts.findings import judge
from contracts.modality import DecisionRule, ImageSpec, Modality
from contracts.network import Output, forward_features
from contracts.preprocessing import normalise, reduced_side, to_canonical
from contracts.quality import judge_quality, measure
from contracts.schemas import Reason
from contracts.signal_quality import judge_signal
from contracts.validity import ValidityCheck, validity_of
from training.evaluation.predict import BATCH, read_payload
from training.evaluation.row_answer import RowAnswer, error_answer, judged_answer
from training.manifest import BadManifest, Row


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """A decoded row before the network."""

    row: Row
    tensor: Tensor
    rejections: tuple[Reason, ...]
    doubts: tuple[Reason, ...]
    warnings: tuple[Reason, ...]


def answer_images(
    checkpoint: Checkpoint, rows: Sequence[Row], modality: Modality
) -> Iterator[RowAnswer]:
    """Yield the answer on each row, in row order; a row that cannot be decoded is an error row.

    Raises ValueError for a model file without an input size and BadManifest for a missing file.
    """
    spec = checkpoint.release.image
    if spec is None:
        raise ValueError("the model file names no input size")
    check = validity_of(checkpoint.release, checkpoint.validity)
    network = build_from(checkpoint).to(memory_format=torch.channels_last)
    for start in range(0, len(rows), BATCH):
        batch = [_prepare(row, checkpoint, modality, spec) for row in rows[start : start + BATCH]]
        ready = [item for item in batch if isinstance(item, _Ready)]
        outputs = iter(_infer(network, ready))
        for item in batch:
            if isinstance(item, _Ready):
                yield _judge(item, next(outputs), checkpoint.release.decision, modality, check)
            else:
                yield item


def _prepare(
    row: Row, checkpoint: Checkpoint, modality: Modality, spec: ImageSpec
) -> _Ready | RowAnswer:
    """Decode, measure and preprocess one row."""
    release = checkpoint.release
    try:
        payload = read_payload(row.path)
    except OSError as error:
        raise BadManifest(f"row {row.id}: its file cannot be read.") from error
    try:
        if len(payload) > modality.limits.max_bytes:
            raise InvalidInput("The upload is too large.", code="payload_too_large")
        decoded = decode_input(
            payload, modality, render=release.render, keep_side=reduced_side(spec)
        )
    except ServiceError as error:
        return error_answer(row, error)
    canonical = to_canonical(decoded.image, spec)
    measures = measure(canonical, min_side=min(decoded.width, decoded.height))
    rejections, warnings = judge_quality(measures, release.quality)
    unusable, doubts = judge_signal(decoded.record) if decoded.record else ([], [])
    return _Ready(
        row=row,
        tensor=normalise(canonical, spec),
        rejections=(*unusable, *rejections),
        doubts=tuple(doubts),
        warnings=tuple(warnings),
    )


def _infer(network: nn.Module, ready: Sequence[_Ready]) -> list[Output]:
    """Run one batch and split it into batches of one."""
    if not ready:
        return []
    batch = torch.stack([item.tensor for item in ready])
    with torch.inference_mode():
        output = _forward(network, batch.contiguous(memory_format=torch.channels_last))
    return [
        Output(
            output.logits[index : index + 1],
            output.middle[index : index + 1],
            output.penultimate[index : index + 1],
        )
        for index in range(len(ready))
    ]


def _forward(network: nn.Module, batch: Tensor) -> Output:
    """Features where the architecture gives them; a comparison network gives logits alone."""
    if hasattr(network, "features") and hasattr(network, "classifier"):
        return forward_features(network, batch)
    logits = network(batch)
    return Output(logits, logits, logits)


def _judge(
    item: _Ready,
    output: Output,
    rule: DecisionRule,
    modality: Modality,
    check: ValidityCheck | None,
) -> RowAnswer:
    """Check the input, then decide; scores are kept whatever comes out."""
    logits = tuple(float(value) for value in output.logits[0])
    rejections, doubts = item.rejections, item.doubts
    if check is not None and not rejections:
        validity = check.assess(output)
        rejections, doubts = validity.rejections, (*doubts, *validity.doubts)
    return judged_answer(
        item.row,
        judge(logits, rule, modality),
        logits,
        rejections=rejections,
        doubts=doubts,
        warnings=item.warnings,
    )
