"""Logits of a bank's clean images, in eval mode: validation, features, calibration checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor, nn

from contracts.modality import ImageSpec
from training.augment import resize
from training.config import TrainConfig
from training.dataset import ImageBank
from training.fit.precision import autocast, precision_for

_SIZE = 64


def normalise_batch(batch: Tensor, spec: ImageSpec) -> Tensor:
    """Normalise float `[B, 3, H, W]` in 0–1 per channel, channels last."""
    mean = torch.tensor(spec.mean, device=batch.device).view(1, 3, 1, 1)
    std = torch.tensor(spec.std, device=batch.device).view(1, 3, 1, 1)
    return ((batch - mean) / std).contiguous(memory_format=torch.channels_last)


def clean_batches(
    bank: ImageBank, spec: ImageSpec, device: torch.device | None = None
) -> Iterator[Tensor]:
    """Yield a bank's clean images in order, as the network takes them."""
    for start in range(0, len(bank), _SIZE):
        indices = torch.arange(start, min(start + _SIZE, len(bank)))
        batch = resize(bank.pick(indices).to(device), (spec.height, spec.width))
        yield normalise_batch(batch.float() / 255.0, spec)


def predict_batches(
    network: nn.Module, bank: ImageBank, config: TrainConfig, spec: ImageSpec | None = None
) -> Tensor:
    """Return float32 CPU logits `[N, K]` of the clean variant at the configured size."""
    device = next(network.parameters()).device
    dtype = precision_for(config, device)
    sized = replace(spec or ImageSpec(), width=config.width, height=config.height)
    network.eval()
    with torch.inference_mode(), autocast(dtype, device):
        batches = clean_batches(bank, sized, device)
        return torch.cat([network(inputs).float().cpu() for inputs in batches])
