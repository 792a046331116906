"""Logits of a bank's clean images, in eval mode: validation, features, calibration checks."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from contracts.modality import ImageSpec
from training.augment import resize
from training.config import TrainConfig
from training.dataset import ImageBank
from training.fit.precision import autocast, precision_for


def normalise_batch(batch: Tensor, spec: ImageSpec) -> Tensor:
    """Normalise float `[B, 3, H, W]` in 0–1 per channel, channels last."""
    mean = torch.tensor(spec.mean, device=batch.device).view(1, 3, 1, 1)
    std = torch.tensor(spec.std, device=batch.device).view(1, 3, 1, 1)
    return ((batch - mean) / std).contiguous(memory_format=torch.channels_last)


def predict_batches(
    network: nn.Module, bank: ImageBank, config: TrainConfig, spec: ImageSpec | None = None
) -> Tensor:
    """Return float32 CPU logits `[N, K]` of the clean variant at the configured size."""
    device = next(network.parameters()).device
    dtype = precision_for(config, device)
    logits: list[Tensor] = []
    network.eval()
    with torch.inference_mode(), autocast(dtype, device):
        for start in range(0, len(bank), 64):
            indices = torch.arange(start, min(start + 64, len(bank)))
            batch = resize(bank.pick(indices).to(device), (config.height, config.width))
            inputs = normalise_batch(batch.float() / 255.0, spec or ImageSpec())
            logits.append(network(inputs).float().cpu())
    return torch.cat(logits)
