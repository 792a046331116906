"""Influence map of one input: Grad-CAM (Selvaraju et al. 2017) without hooks.

The network is cut behind one block: features are computed without gradients, detached, and only
the rest is differentiated. No hook, no lock, nothing that stays behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import Tensor, nn

DEFAULT_LAYER = "features[8]"
_LAYER = re.compile(r"features\[(\d{1,2})\]")


class NoMap(Exception):
    """There is no map; the text says why, in words for people."""


@dataclass(frozen=True, slots=True, eq=False)
class InfluenceMap:
    """Raw values `[rows, columns]`, not negative; zero where nothing speaks for the label."""

    values: Tensor
    layer: str

    @property
    def value_range(self) -> tuple[float, float]:
        """Lowest and highest raw value."""
        return float(self.values.min()), float(self.values.max())


def influence_map(network: nn.Module, tensor: Tensor, label_index: int, layer: str) -> InfluenceMap:
    """Return the map of one label on a float32 input `[3, H, W]`; raise NoMap when impossible.

    Must not run under `inference_mode`. The network needs sequential `features` and a
    `classifier` on their pooled output.
    """
    features, classifier = _parts(network)
    block = _block(layer, len(features))
    device = next(network.parameters()).device
    with torch.no_grad():
        early = features[: block + 1](tensor[None].to(device))
    activations = early.detach().requires_grad_(True)
    with torch.enable_grad():
        pooled = features[block + 1 :](activations).mean(dim=(2, 3))
        logit = classifier(pooled)[0, label_index]
        (gradient,) = torch.autograd.grad(logit, activations)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    values = torch.relu((weights * activations.detach()).sum(dim=1))[0].cpu()
    if not bool(torch.isfinite(values).all()):
        raise NoMap("The influence map is not finite.")
    return InfluenceMap(values, layer)


def _parts(network: nn.Module) -> tuple[nn.Sequential, nn.Module]:
    """Return features and classifier of a network that has them."""
    features = getattr(network, "features", None)
    classifier = getattr(network, "classifier", None)
    if not isinstance(features, nn.Sequential) or not isinstance(classifier, nn.Module):
        raise NoMap("This architecture offers no layer for an influence map.")
    return features, classifier


def _block(layer: str, blocks: int) -> int:
    """Return the index of the block that a layer names."""
    match = _LAYER.fullmatch(layer)
    if match is None or int(match[1]) >= blocks:
        raise NoMap("The model file names a layer that the network does not have.")
    return int(match[1])
