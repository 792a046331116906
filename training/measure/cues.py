"""Cues: cheap features that a model must beat: size, thumbnail, border, metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from contracts.modality import Modality, RenderSpec
from training.evaluation.predict import pictures
from training.manifest import Row

SIDE, BORDER = 32, 3
#: Facts about the patient or the place; attributes that restate the label are left out.
METADATA = ("age", "sex", "site", "localization", "device", "hospital")


#: float32 `[N, F]`: ten thousand thumbnails take 120 MB.
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cues:
    """Feature tables `[N, F]` by name; all have the same rows."""

    features: dict[str, Array]

    def __len__(self) -> int:
        """Number of cases."""
        return len(next(iter(self.features.values())))

    def at(self, indices: NDArray[np.int64]) -> Cues:
        """Return the chosen cases."""
        return Cues({name: table[indices] for name, table in self.features.items()})


def read_cues(rows: Sequence[Row], modality: Modality, render: RenderSpec | None) -> Cues:
    """Decode each row once and return its cues; metadata only where the manifest has any.

    Cases that are to share columns of categories are read in one call.
    """
    thumbnails, sizes = [], []
    for row, picture in zip(rows, pictures(rows, modality, render), strict=True):
        small = picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        thumbnails.append(np.asarray(small, dtype=np.float32) / np.float32(255))
        sizes.append(_size(row, picture))
    stacked: Array = np.stack(thumbnails)
    edge = np.ones((SIDE, SIDE), dtype=bool)
    edge[BORDER:-BORDER, BORDER:-BORDER] = False
    features: dict[str, Array] = {
        "size_and_aspect": np.asarray(sizes, dtype=np.float32),
        "thumbnail": stacked.reshape(len(rows), -1),
        "border": stacked[:, edge].reshape(len(rows), -1),
    }
    if any(name in row.attributes for row in rows for name in METADATA):
        features["metadata"] = _metadata(rows)
    return Cues(features)


def _size(row: Row, picture: Image.Image) -> tuple[float, float, float]:
    """Width, height and aspect of the original where the manifest has them, else of the file."""
    width = float(row.attributes.get("width") or picture.width)
    height = float(row.attributes.get("height") or picture.height)
    return width, height, width / height


def _metadata(rows: Sequence[Row]) -> Array:
    """Age (-1 when unknown) and one column per category value."""
    columns = [[_age(row.attributes.get("age", "")) for row in rows]]
    for name in METADATA[1:]:
        texts = [row.attributes.get(name, "").strip() for row in rows]
        columns += [[float(text == value) for text in texts] for value in sorted(set(texts))]
    return np.asarray(columns, dtype=np.float32).T


def _age(text: str) -> float:
    """Age in years, -1 when it is missing or no number."""
    try:
        return float(text)
    except ValueError:
        return -1.0
