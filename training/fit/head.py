"""Phase one: the linear head alone, on cached features of the frozen network.

Head first, then all layers (Kumar et al., ICLR 2022): fine-tuning from a random head distorts
the features. The network is in eval mode throughout, BatchNorm included.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from contracts.network import head_of
from training.config import TrainConfig
from training.dataset import ImageBank, epoch_batches
from training.fit.optim import Loss
from training.fit.predict_batches import predict_batches


def fit_head(
    network: nn.Module, bank: ImageBank, config: TrainConfig, loss: Loss, *, seed: int
) -> None:
    """Train the last linear layer in place on features of the clean training images."""
    head = head_of(network)
    features = cache_features(network, bank, config)
    device = head.weight.device
    nn.init.zeros_(head.bias)
    nn.init.normal_(head.weight, std=0.01)
    optimizer = torch.optim.AdamW(head.parameters(), lr=config.head_lr, weight_decay=1e-3)
    targets = bank.targets.to(device)
    for epoch in range(config.head_epochs):
        for indices in epoch_batches(bank, config, head.out_features, seed=seed * 1000 + epoch):
            batch = F.dropout(features[indices].to(device), config.dropout)
            optimizer.zero_grad()
            torch.autograd.backward(loss(head(batch), targets[indices.to(device)]))
            optimizer.step()


def cache_features(network: nn.Module, bank: ImageBank, config: TrainConfig) -> Tensor:
    """Return the head's inputs `[N, F]` for the clean images, in eval mode."""
    captured: list[Tensor] = []

    def keep(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        captured.append(inputs[0].float().cpu())

    handle = head_of(network).register_forward_pre_hook(keep)
    try:
        predict_batches(network, bank, config)
    finally:
        handle.remove()
    return torch.cat(captured)
