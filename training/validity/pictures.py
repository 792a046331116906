"""Generated pictures of no modality, for the class *other* of the modality head.

Photographs are never used for fitting, so everything here is drawn: noise at several scales,
gradients, stripes and checks, blobs, text-like pages, collages of flat colour.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]


def generate(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Return one picture, uint8 `[height, width, 3]`, in colour or grey at random."""
    draw = DRAWERS[int(rng.integers(len(DRAWERS)))]
    picture = draw(rng, height, width)
    if rng.random() < 0.4:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8)
    return picture


def shuffle_patches(picture: Pixels, rng: np.random.Generator, grid: int = 4) -> Pixels:
    """Return a picture whose patches stand in random order: right texture, no anatomy."""
    height, width = (side // grid * grid for side in picture.shape[:2])
    tiles = [
        tile
        for row in np.split(picture[:height, :width], grid, axis=0)
        for tile in np.split(row, grid, axis=1)
    ]
    order = rng.permutation(len(tiles))
    rows = [
        np.concatenate([tiles[i] for i in order[start : start + grid]], axis=1)
        for start in range(0, len(tiles), grid)
    ]
    shuffled = np.concatenate(rows, axis=0)
    return np.asarray(Image.fromarray(shuffled).resize(picture.shape[1::-1]))


def _noise(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Noise at a random scale, from pixels to clouds, with a colour cast."""
    scale = int(rng.choice([1, 2, 4, 8, 16, 32, 64]))
    coarse = rng.random((max(2, height // scale), max(2, width // scale), 3)) ** rng.uniform(0.3, 3)
    cast = rng.uniform(0.2, 1.0, 3)
    small = Image.fromarray((coarse * cast * 255).astype(np.uint8))
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _gradient(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """A smooth gradient between random colours, with sinusoidal bands."""
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x + np.sin(angle) * y
    bands = 0.5 + 0.5 * np.sin(ramp * rng.uniform(1, 60))[..., None]
    first, second = rng.uniform(0, 255, (2, 3))
    picture: Pixels = (first + (second - first) * bands).astype(np.uint8)
    return picture


def _checks(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """Stripes or checks of random period and colours."""
    y, x = np.mgrid[0:height, 0:width]
    periods = rng.integers(4, 60, 2)
    pattern = ((x // periods[0]) + (y // periods[1]) * int(rng.integers(2))) % 2
    first, second = rng.uniform(0, 255, (2, 3))
    picture: Pixels = np.where(pattern[..., None] == 0, first, second).astype(np.uint8)
    return picture


def _shapes(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """A collage of ellipses and boxes of flat colour."""
    image = Image.new("RGB", (width, height), _colour(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(3, 40))):
        corners = np.sort(rng.uniform(-0.2, 1.2, (2, 2)), axis=0) * (width, height)
        box = [float(value) for value in corners.flatten()]
        (draw.ellipse if rng.random() < 0.5 else draw.rectangle)(box, fill=_colour(rng))
    return np.asarray(image)


def _page(rng: np.random.Generator, height: int, width: int) -> Pixels:
    """A page of text-like lines of words on paper."""
    paper = int(rng.integers(200, 256))
    image = Image.new("RGB", (width, height), (paper, paper, int(paper * rng.uniform(0.9, 1))))
    draw = ImageDraw.Draw(image)
    step = int(rng.integers(6, 20))
    for top in range(step, height - step, step):
        left = int(rng.integers(4, 20))
        while left < width - 20 and rng.random() > 0.03:
            word = int(rng.integers(4, 40))
            ink = int(rng.integers(0, 90))
            draw.rectangle([left, top, left + word, top + step // 2], fill=(ink, ink, ink))
            left += word + int(rng.integers(3, 9))
    return np.asarray(image)


def _colour(rng: np.random.Generator) -> tuple[int, int, int]:
    """Return a random colour."""
    red, green, blue = (int(value) for value in rng.integers(0, 256, 3))
    return red, green, blue


DRAWERS: tuple[Callable[[np.random.Generator, int, int], Pixels], ...] = (
    _noise,
    _noise,
    _gradient,
    _checks,
    _shapes,
    _page,
)
