"""From manifest rows to pictures, decoded by the code that serves."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from contracts.images import decode_image
from contracts.modality import Kind, Modality
from training.dataset import Loader
from training.manifest import Row


def loader_for(rows: Sequence[Row], modality: Modality) -> Loader:
    """Return the function that gives picture `index` in variant `variant`."""
    if modality.kind is Kind.ECG:
        from training.ecg.pages import page_loader

        return page_loader([row.path for row in rows], modality)

    def load(index: int, variant: int) -> Image.Image:
        return decode_image(rows[index].path.read_bytes(), modality.limits).image

    return load
