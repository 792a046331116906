"""The same inputs answered in two ways, and how far the answers are apart."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from contracts.images import decode_image
from contracts.modality import Limits
from contracts.preprocessing import image_to_tensor
from contracts.registry import get_modality
from vision_service.model import ModelOptions, VisionModel, load_model
from vision_service.parity import Parity, compare

_BATCH = 16


def load(checkpoint: Path, backend: str) -> VisionModel:
    """Return a released model on a backend of the CPU; the folder's name is its modality."""
    modality = get_modality(checkpoint.parent.name)
    options = ModelOptions("torch" if backend == "torch" else "onnxruntime", "cpu")
    return load_model(checkpoint, modality, options)


def tensor_of(payload: bytes, model: VisionModel, keep_side: int | None = None) -> Tensor:
    """Return the input tensor of a file, decoded whole or at a reduced scale."""
    picture = decode_image(payload, Limits(), keep_side)
    return image_to_tensor(picture.image, model.image)


def tensor_of_image(image: Image.Image, model: VisionModel) -> Tensor:
    """Return the input tensor of a decoded picture."""
    return image_to_tensor(image.convert("RGB"), model.image)


def logits_of(tensors: Iterable[Tensor], model: VisionModel) -> Tensor:
    """Return the logits `[N, K]` of many inputs, in batches."""
    waiting = iter(tensors)
    rows = []
    while batch := list(islice(waiting, _BATCH)):
        rows.append(model.backend.infer(torch.stack(batch)).logits)
    return torch.cat(rows)


def apart(ours: Tensor, reference: Tensor, model: VisionModel) -> Parity:
    """Return how far two sets of logits are apart, through the model's own decision rule."""
    return compare(ours, reference, model.checkpoint.release.decision, model.modality)
