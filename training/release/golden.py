"""Golden cases: generated pictures whose logits every replica must reproduce; no patient data."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from contracts.modality import ImageSpec
from training.evaluation.predict import infer
from training.fit.predict_batches import normalise_batch

_CASES = 6


def golden_input(spec: ImageSpec) -> Tensor:
    """Return uint8 `[6, 3, height, width]`: smooth textures of rising frequency, one per case."""
    rows = np.linspace(0, 1, spec.height)[:, None]
    columns = np.linspace(0, 1, spec.width)[None, :]
    pictures = [_texture(case, rows, columns) for case in range(_CASES)]
    return torch.from_numpy(np.stack(pictures))


def golden_logits(network: nn.Module, images: Tensor, spec: ImageSpec) -> Tensor:
    """Return float32 `[N, K]` of uint8 `[N, 3, H, W]`."""
    return infer(network, normalise_batch(images.float() / 255.0, spec))


def _texture(case: int, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Waves, a disc and a gradient, mixed differently in each case and channel."""
    disc = ((rows - 0.5) ** 2 + (columns - 0.45) ** 2 < 0.02 * (case + 1)) * 60.0
    channels = []
    for channel in range(3):
        waves = np.sin((case + 1) * 5 * rows + channel) * np.cos((7 - case) * 4 * columns)
        channels.append(70.0 + 50.0 * waves + disc + 40.0 * rows * (channel == case % 3))
    return np.asarray(np.clip(np.stack(channels), 0, 255), dtype=np.uint8)
