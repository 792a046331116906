"""From manifest rows to pictures, decoded by the code that serves, and to banks of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from contracts.images import decode_image
from contracts.modality import ImageSpec, Kind, Modality
from training.config import TrainConfig
from training.dataset import ImageBank, Loader, encode_targets, load_bank
from training.manifest import Row


def loader_for(rows: Sequence[Row], modality: Modality) -> Loader:
    """Return the function that gives picture `index` in variant `variant`."""
    if modality.kind is Kind.ECG:
        from training.ecg.pages import page_loader

        return page_loader([row.path for row in rows], modality)

    def load(index: int, variant: int) -> Image.Image:
        return decode_image(rows[index].path.read_bytes(), modality.limits).image

    return load


def image_spec(modality: Modality, config: TrainConfig) -> ImageSpec:
    """The registry's spec at the configured input size."""
    if modality.image is None:
        raise ValueError(f"{modality.id} takes no image")
    return replace(modality.image, width=config.width, height=config.height)


def bank_of(
    rows: Sequence[Row], modality: Modality, spec: ImageSpec, *, variants: int = 1
) -> ImageBank:
    """Decode the rows of one part into memory."""
    targets = encode_targets([row.label for row in rows], modality)
    return load_bank(len(rows), loader_for(rows, modality), targets, spec, variants=variants)
