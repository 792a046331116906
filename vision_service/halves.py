"""A large picture is resized in two halves at once, where a thread is idle.

Pillow makes each row of the result of its own rows of the picture, and looks beyond the edge of the
box that it is asked for: two halves give the very pixels of the whole.
"""

from __future__ import annotations

from functools import partial

from PIL import Image

from contracts.preprocessing import resized
from vision_service.spare import Spare

#: Below, the second thread costs more than it saves.
MIN_PIXELS = 512 * 512
Box = tuple[float, float, float, float]


def resize_shared(image: Image.Image, size: tuple[int, int], spare: Spare) -> Image.Image:
    """Return the picture at this width and height, as `contracts.preprocessing.resized`."""
    if not (_has_equal_halves(image, size) and spare.is_there):
        return resized(image, size)
    width, height = size
    upper, lower = (
        partial(image.resize, (width, height // 2), Image.Resampling.BILINEAR, box)
        for box in _halves_of(image)
    )
    rest = spare.begin(lower)
    whole = Image.new(image.mode, size)
    whole.paste(upper())
    whole.paste(rest(), (0, height // 2))
    return whole


def _has_equal_halves(image: Image.Image, size: tuple[int, int]) -> bool:
    """True for a large picture whose halves are resized as the whole is.

    An odd height has no half. In a picture that loses more than twice as much of its height as of
    its width Pillow takes the columns first, and rounds otherwise: a half must not be one alone.
    """
    width, height = size
    if image.width * image.height < MIN_PIXELS or height % 2 or image.size == size:
        return False
    return image.height - height // 2 <= 2 * (image.width - width)


def _halves_of(image: Image.Image) -> tuple[Box, Box]:
    """Return the boxes of the upper and of the lower half."""
    middle = image.height / 2
    return (0, 0, image.width, middle), (0, middle, image.width, image.height)
