"""The model as everybody runs it: torch, contiguous float32, torchvision's transforms."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms import v2

from bench.peers import MODEL
from contracts.checkpoint import build_from, load_checkpoint
from contracts.registry import get_modality


class PeerModel:
    """A model file in torch; prepares single pictures and answers batches."""

    def __init__(self) -> None:
        """Reads the file that the environment names."""
        path = Path(os.environ[MODEL])
        checkpoint = load_checkpoint(path, get_modality(path.parent.name))
        spec = checkpoint.release.image
        if spec is None:
            raise ValueError("the model file does not say how pictures are prepared")
        self._labels = checkpoint.release.labels
        self._network = build_from(checkpoint)
        self._transform = v2.Compose(
            [
                v2.Resize((spec.height, spec.width)),
                v2.ToImage(),
                v2.ToDtype(torch.float32, scale=True),
                v2.Normalize(list(spec.mean), list(spec.std)),
            ]
        )

    def prepare(self, payload: bytes) -> Tensor:
        """Return the input tensor of one file."""
        with Image.open(io.BytesIO(payload)) as image:
            return self.prepare_image(image)

    def prepare_image(self, image: Image.Image) -> Tensor:
        """Return the input tensor of one opened picture."""
        tensor: Tensor = self._transform(image.convert("RGB"))
        return tensor

    def answer(self, tensors: Sequence[Tensor]) -> list[dict[str, float]]:
        """Return the probability of each label for each picture."""
        with torch.no_grad():
            probabilities = self._network(torch.stack(list(tensors))).softmax(1)
        return [dict(zip(self._labels, row, strict=True)) for row in probabilities.tolist()]
