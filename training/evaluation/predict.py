"""Predict: logits of manifest rows by the steps that serve: decode, preprocess, network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from contracts.decoder import decode_input
from contracts.modality import ImageSpec, Modality, RenderSpec
from contracts.preprocessing import image_to_tensor, reduced_side
from training.ecg.records import pack
from training.manifest import Row
from training.measure.bootstrap import Array

BATCH = 32


def read_payload(path: Path) -> bytes:
    """Return the bytes that a caller would upload; a WFDB header brings its signals along."""
    return pack(path) if path.suffix == ".hea" else path.read_bytes()


def pictures(
    rows: Sequence[Row],
    modality: Modality,
    render: RenderSpec | None,
    *,
    keep_side: int | None = None,
) -> Iterator[Image.Image]:
    """Yield the decoded picture of each row; raises ServiceError (415, 422) as serving would."""
    for row in rows:
        payload = read_payload(row.path)
        yield decode_input(payload, modality, render=render, keep_side=keep_side).image


def score_rows(
    network: nn.Module,
    rows: Sequence[Row],
    modality: Modality,
    spec: ImageSpec,
    render: RenderSpec | None = None,
) -> Array:
    """Return float64 logits `[N, K]` of a float32 network in eval mode, in row order."""
    decoded = pictures(rows, modality, render, keep_side=reduced_side(spec))
    batches: list[Tensor] = []
    for start in range(0, len(rows), BATCH):
        size = min(BATCH, len(rows) - start)
        tensors = [image_to_tensor(next(decoded), spec) for _ in range(size)]
        batches.append(infer(network, torch.stack(tensors)))
    if not batches:
        return np.zeros((0, len(modality.labels)))
    return np.asarray(torch.cat(batches).double().numpy())


def infer(network: nn.Module, batch: Tensor) -> Tensor:
    """Return float32 logits on the CPU of one normalised batch `[B, 3, H, W]`."""
    device = next(network.parameters()).device
    network.eval()
    with torch.inference_mode():
        inputs = batch.to(device, memory_format=torch.channels_last)
        return network(inputs).float().cpu()  # type: ignore[no-any-return]
