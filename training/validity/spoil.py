"""Spoiled copies of a good picture, as uploads are spoiled: focus, exposure, borders, colour, size.

Whether a warning marks wrong answers cannot be seen on good inputs, which hardly ever raise one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

_NOISE_SEED = 0


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A picture with the shorter side of the file that it would have come from."""

    picture: Image.Image
    min_side: int


def spoil(picture: Image.Image) -> Iterator[Spoiled]:
    """Yield the picture itself, then each kind of fault, mild and strong; RGB in, RGB out."""
    side = min(picture.size)
    yield Spoiled(picture, side)
    for change in _CHANGES:
        yield Spoiled(change(picture), side)
    for small in (side // 3, side // 6):
        thumbnail = picture.resize((max(small, 8), max(small, 8)), Image.Resampling.BILINEAR)
        yield Spoiled(thumbnail.resize(picture.size, Image.Resampling.BILINEAR), max(small, 8))


def _noisy(picture: Image.Image, strength: float) -> Image.Image:
    """Add Gaussian noise of this standard deviation in grey values, the same on every picture."""
    values = np.asarray(picture, dtype=np.float64)
    noise = np.random.default_rng(_NOISE_SEED).normal(0, strength, values.shape)
    return Image.fromarray(np.clip(values + noise, 0, 255).astype(np.uint8))


def _lighter(picture: Image.Image, share: float) -> Image.Image:
    """Leave only this share of each value's distance from white."""
    return ImageOps.invert(ImageEnhance.Brightness(ImageOps.invert(picture)).enhance(share))


def _bordered(picture: Image.Image, grey: int, share: float) -> Image.Image:
    """Shrink the picture to a share of its sides, in the middle of an empty page."""
    page = Image.new("RGB", picture.size, (grey, grey, grey))
    width, height = round(picture.width * share), round(picture.height * share)
    small = picture.resize((width, height), Image.Resampling.BILINEAR)
    page.paste(small, ((picture.width - width) // 2, (picture.height - height) // 2))
    return page


_CHANGES: tuple[Callable[[Image.Image], Image.Image], ...] = (
    lambda picture: picture.filter(ImageFilter.GaussianBlur(1.5)),
    lambda picture: picture.filter(ImageFilter.GaussianBlur(4)),
    lambda picture: _noisy(picture, 20),
    lambda picture: _noisy(picture, 50),
    lambda picture: ImageEnhance.Brightness(picture).enhance(0.5),
    lambda picture: ImageEnhance.Brightness(picture).enhance(0.25),
    lambda picture: _lighter(picture, 0.5),
    lambda picture: _lighter(picture, 0.25),
    lambda picture: ImageEnhance.Contrast(picture).enhance(0.5),
    lambda picture: ImageEnhance.Contrast(picture).enhance(0.2),
    lambda picture: _bordered(picture, 0, 0.75),
    lambda picture: _bordered(picture, 0, 0.55),
    lambda picture: _bordered(picture, 255, 0.75),
    lambda picture: _bordered(picture, 255, 0.55),
    lambda picture: ImageEnhance.Color(picture).enhance(0.3),
    lambda picture: ImageEnhance.Color(picture).enhance(2.5),
)
