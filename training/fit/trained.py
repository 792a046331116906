"""Trained: what a finished training run hands to the export."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from contracts.modality import ImageSpec, Modality, RenderSpec
from training.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished run. `weights` are float32 on the CPU, named as in torchvision's state dict.

    `history` has one dict of numbers per epoch, `init` says what the weights started from (with
    its SHA-256), `seconds` is the wall-clock time of training on `device`.
    """

    modality: Modality
    config: dict[str, object]
    manifest: Manifest
    weights: dict[str, Tensor]
    arch: str
    image: ImageSpec
    render: RenderSpec | None
    run_dir: Path
    history: list[dict[str, float]]
    seconds: float
    device: str
    init: str
    seeds: tuple[int, ...]
