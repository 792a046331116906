"""The weights that a run starts from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from training.resume import load_weights


@dataclass(frozen=True, slots=True)
class Start:
    """Initial weights and how the model card names them."""

    weights: dict[str, Tensor] | None
    description: str


def load_start(init: str, arch: str) -> Start:
    """Read `random`, `imagenet` (torchvision's own weights) or a path to a state dict."""
    if init == "random":
        return Start(None, "random initialisation")
    if init == "imagenet":
        from torchvision.models import get_model

        weights = get_model(arch, weights="DEFAULT").state_dict()
        return Start(dict(weights), f"torchvision {arch} weights trained on ImageNet-1k")
    path = Path(init)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Start(load_weights(path), f"{path.name}, SHA-256 {digest}")
