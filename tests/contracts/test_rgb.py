"""Bands of rows give the very pixels that the whole would."""

import threading
import time
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image

from contracts.images import decode_image
from contracts.modality import Limits
from contracts.rgb import BAND_PIXELS, to_rgb
from tests.contracts.pictures import encode

WIDTH = 1000
HEIGHT = 2 * BAND_PIXELS // WIDTH + 7
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16")


def noise(mode):
    """A picture of three bands whose every pixel differs from its neighbours."""
    chance = np.random.default_rng(5)
    if mode == "I;16":
        return Image.fromarray(chance.integers(0, 65_536, (HEIGHT, WIDTH), dtype=np.uint16))
    values = chance.integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    picture = Image.fromarray(values, "RGBA")
    return picture if mode == "RGBA" else picture.convert("RGB").convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_I5_each_band_is_converted_as_the_whole_would_be(mode):
    picture = noise(mode)

    banded, whole = to_rgb(picture), to_rgb(picture, band_pixels=WIDTH * HEIGHT)

    assert banded.tobytes() == whole.tobytes()
    assert banded.size == picture.size


def test_I5_a_transparent_palette_entry_is_black_in_every_band():
    picture = Image.new("P", (WIDTH, HEIGHT), 1)
    picture.putpalette([255, 0, 0, 0, 255, 0])
    picture.paste(0, (0, 0, WIDTH // 2, HEIGHT))

    decoded = decode_image(encode(picture, "PNG", transparency=0), Limits()).image

    pixels = np.asarray(decoded)
    assert not pixels[:, : WIDTH // 2].any()
    assert (pixels[:, WIDTH // 2 :] == [0, 255, 0]).all()


def longest_wait(work):
    """How long another thread waited for its turn, at most, as a share of the whole time."""
    turns, done = [time.monotonic()], threading.Event()

    def count():
        while not done.wait(0.001):
            turns.append(time.monotonic())

    other = threading.Thread(target=count)
    other.start()
    work()
    turns.append(time.monotonic())
    done.set()
    other.join()
    turns.sort()
    return max(end - begin for begin, end in pairwise(turns)) / (turns[-1] - turns[0])


def test_I13_F15_no_step_of_a_large_conversion_keeps_other_threads_waiting_for_long():
    """In one piece it would be half of the time. The best round counts: others may be busy."""
    picture = Image.new("RGBA", (5000, 4000), (200, 100, 50, 128))

    assert min(longest_wait(lambda: to_rgb(picture)) for _ in range(3)) < 0.2
