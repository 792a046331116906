"""Build the network of a model file by name, with pooled middle and penultimate features.

EfficientNet-B0 is the one released architecture; a few torchvision networks are there for
comparison runs. The published layout of torchvision's state dict is kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

from contracts.errors import BadCheckpoint

BUILDERS: dict[str, Callable[..., nn.Module]] = {
    "efficientnet_b0": models.efficientnet_b0,
    "efficientnet_v2_m": models.efficientnet_v2_m,
    "mobilenet_v2": models.mobilenet_v2,
    "resnet50": models.resnet50,
}
#: Block of EfficientNet-B0 (`features[i]`) whose pooled output is the middle layer.
MIDDLE_BLOCK = 5


@dataclass(frozen=True, slots=True)
class Output:
    """One forward pass: logits `[B, K]`, pooled middle `[B, M]` and penultimate `[B, 1280]`."""

    logits: Tensor
    middle: Tensor
    penultimate: Tensor


def build_network(
    arch: str, outputs: int, *, dropout: float = 0.2, drop_path: float = 0.2
) -> nn.Module:
    """Return an untrained network with `outputs` logits; raise BadCheckpoint for unknown arch."""
    builder = BUILDERS.get(arch)
    if builder is None:
        raise BadCheckpoint(f"unknown architecture; known: {', '.join(sorted(BUILDERS))}")
    options: dict[str, Any] = {"weights": None, "num_classes": outputs}
    if arch.startswith("efficientnet"):
        options |= {"dropout": dropout, "stochastic_depth_prob": drop_path}
    return builder(**options)


def head_of(network: nn.Module) -> nn.Linear:
    """Return the last linear layer, whatever torchvision calls it."""
    head = network.fc if hasattr(network, "fc") else network.classifier
    layer = head[-1] if isinstance(head, nn.Sequential) else head
    if not isinstance(layer, nn.Linear):
        raise TypeError("the network does not end in a linear layer")
    return layer


def forward_features(network: nn.Module, batch: Tensor) -> Output:
    """Run an EfficientNet on `[B, 3, H, W]` and keep the two pooled feature layers."""
    middle: Tensor | None = None
    x = batch
    features = network.features
    if not isinstance(features, nn.Sequential):
        raise TypeError("forward_features needs a network with sequential features")
    for index, block in enumerate(features):
        x = block(x)
        if index == MIDDLE_BLOCK:
            middle = x.mean(dim=(2, 3))
    penultimate = x.mean(dim=(2, 3))
    logits = network.classifier(penultimate)  # type: ignore[operator]
    if middle is None:
        raise TypeError("the network has no middle block")
    return Output(logits, middle, penultimate)


def count_parameters(network: nn.Module) -> int:
    """Return the number of learnable values."""
    return sum(parameter.numel() for parameter in network.parameters())


def all_finite(tensors: dict[str, Tensor]) -> bool:
    """True when no floating-point tensor holds NaN or infinity."""
    return all(
        bool(torch.isfinite(tensor).all())
        for tensor in tensors.values()
        if tensor.is_floating_point()
    )
