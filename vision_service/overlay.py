"""Pictures that go out: the influence map over the input, and the display copy of an upload."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from torch import Tensor

from contracts.rgb import as_rgb

DISPLAY_SIDE = 1024
_OPACITY = 0.55
#: Anchors of a colour scale that reads on grey films: violet, orange, light yellow.
_STOPS = np.array([0.0, 0.5, 1.0])
_COLOURS = np.array([[48, 18, 96], [236, 96, 36], [255, 244, 168]], dtype=np.float64)


def draw_overlay(canonical: Image.Image, values: Tensor) -> Image.Image:
    """Return the picture in RGB with the map over it; the stronger, the more opaque."""
    strength = np.asarray(
        Image.fromarray(_scaled(values)).resize(canonical.size, Image.Resampling.BICUBIC),
        dtype=np.float64,
    )
    strength = np.clip(strength, 0.0, 1.0)
    colour = np.stack(
        [np.interp(strength, _STOPS, _COLOURS[:, channel]) for channel in range(3)], axis=-1
    )
    opacity = (_OPACITY * strength)[..., None]
    mixed = np.asarray(as_rgb(canonical), dtype=np.float64) * (1 - opacity) + colour * opacity
    return Image.fromarray(mixed.round().astype(np.uint8))


def display_copy(image: Image.Image) -> Image.Image:
    """Return the picture with no side above 1,024 pixels; a smaller one is returned as it is."""
    longest = max(image.size)
    if longest <= DISPLAY_SIDE:
        return image
    scale = DISPLAY_SIDE / longest
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)


def encode_png(image: Image.Image) -> bytes:
    """Return the picture as PNG without metadata."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def _scaled(values: Tensor) -> np.ndarray:
    """Scale a raw map to 0–1; a map without any influence stays empty."""
    array = values.numpy().astype(np.float32)
    highest = float(array.max())
    return array / highest if highest > 0 else array
