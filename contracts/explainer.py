"""Influence map of one input without hooks: Grad-CAM, or LayerCAM over one block or several.

Grad-CAM (Selvaraju et al. 2017) weighs each channel by its mean gradient, LayerCAM (Jiang et al.
2021) each place by its own positive gradient, so that it also serves finer blocks. The network is
cut behind the first block that is asked for: what lies before runs without gradients and only the
rest is differentiated. No hook, no lock, nothing that stays behind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DEFAULT_LAYER = "features[8]"
GRAD_CAM, LAYER_CAM = "grad-cam", "layer-cam"
METHODS = (GRAD_CAM, LAYER_CAM)
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


def influence_map(
    network: nn.Module,
    tensor: Tensor,
    label_index: int,
    layer: str,
    *,
    method: str = GRAD_CAM,
    contrast: bool = False,
) -> InfluenceMap:
    """Return the map of one label on a float32 input `[3, H, W]`; raise NoMap when impossible.

    `layer` joins several blocks with "+"; their maps are averaged, each relative to its peak. With
    `contrast` the log-odds against all other labels are explained instead of the logit: what spoke
    for this label rather than for another. Must not run under `inference_mode`. The network needs
    sequential `features` and a `classifier` on their pooled output.
    """
    features, classifier = _parts(network)
    blocks = _blocks(layer, len(features))
    if method not in METHODS:
        raise NoMap("The model file names a kind of map that this software does not make.")
    device = next(network.parameters()).device
    with torch.no_grad():
        early = features[: blocks[0] + 1](tensor[None].to(device))
    with torch.enable_grad():
        activations = [early.detach().requires_grad_(True)]
        for last, block in pairwise(blocks):
            activations.append(features[last + 1 : block + 1](activations[-1]))
        pooled = features[blocks[-1] + 1 :](activations[-1]).mean(dim=(2, 3))
        score = _score(classifier(pooled)[0], label_index, contrast=contrast)
        gradients = torch.autograd.grad(score, activations)
    maps = [
        _one_map(activation.detach(), gradient, method)
        for activation, gradient in zip(activations, gradients, strict=True)
    ]
    values = _merged(maps)
    if not bool(torch.isfinite(values).all()):
        raise NoMap("The influence map is not finite.")
    return InfluenceMap(values, layer)


def _score(logits: Tensor, label_index: int, *, contrast: bool) -> Tensor:
    """The number that is explained: a logit, or its lead over all other labels together."""
    if not contrast or len(logits) < 2:
        return logits[label_index]
    others = torch.cat((logits[:label_index], logits[label_index + 1 :]))
    return logits[label_index] - others.logsumexp(0)


def _one_map(activation: Tensor, gradient: Tensor, method: str) -> Tensor:
    """The map of one block from activations and gradients `[1, C, h, w]`."""
    if method == LAYER_CAM:
        weights = torch.relu(gradient)
    else:
        weights = gradient.mean(dim=(2, 3), keepdim=True)
    return torch.relu((weights * activation).sum(dim=1))[0].cpu()


def _merged(maps: Sequence[Tensor]) -> Tensor:
    """One block's map as it is; of several the mean at the finest grid, each over its peak."""
    if len(maps) == 1:
        return maps[0]
    size = max((tuple(one.shape) for one in maps), key=lambda shape: shape[0] * shape[1])
    grown = [
        F.interpolate(
            (one / one.max().clamp_min(1e-12))[None, None],
            size=size,
            mode="bilinear",
            align_corners=False,
        )
        for one in maps
    ]
    return torch.cat(grown).mean(dim=(0, 1))


def _parts(network: nn.Module) -> tuple[nn.Sequential, nn.Module]:
    """Return features and classifier of a network that has them."""
    features = getattr(network, "features", None)
    classifier = getattr(network, "classifier", None)
    if not isinstance(features, nn.Sequential) or not isinstance(classifier, nn.Module):
        raise NoMap("This architecture offers no layer for an influence map.")
    return features, classifier


def _blocks(layer: str, blocks: int) -> list[int]:
    """Return the indices of the blocks that a layer names, in the order of the network."""
    matches = [_LAYER.fullmatch(name) for name in layer.split("+")]
    indices = sorted({int(match[1]) for match in matches if match})
    if not all(matches) or indices[-1] >= blocks:
        raise NoMap("The model file names a layer that the network does not have.")
    return indices
