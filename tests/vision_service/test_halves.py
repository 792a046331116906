"""Two halves are the whole, to the last bit, whoever computes the second."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from PIL import Image

from contracts.modality import ImageSpec
from contracts.preprocessing import resized, to_canonical
from vision_service.halves import MIN_PIXELS, resize_shared
from vision_service.spare import Spare


class NoPool:
    """A pool that must not be asked."""

    def submit(self, *_args):
        raise AssertionError("nothing to share")


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def halved(pool):
    return partial(resize_shared, spare=Spare(pool, lambda: True))


def picture(width, height, mode="L"):
    shape = (height, width) if mode == "L" else (height, width, 3)
    values = np.random.default_rng(width * height).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(values)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("width", [500, 800, 1151])
def test_the_halves_have_the_pixels_of_the_whole(halved, width, mode):
    for height in range(300, 2500, 111):
        image = picture(width, height, mode)
        for size in ((224, 224), (161, 98), (300, 97)):
            assert halved(image, size).tobytes() == resized(image, size).tobytes(), height


@pytest.mark.parametrize("fit", ["squash", "center_crop"])
def test_a_picture_is_fitted_to_the_same_pixels(halved, fit):
    spec, image = ImageSpec(fit=fit), picture(1422, 1152)

    assert to_canonical(image, spec, halved).tobytes() == to_canonical(image, spec).tobytes()


def test_the_second_half_is_computed_in_the_other_thread(pool, halved, monkeypatch):
    threads, resize = set(), Image.Image.resize

    def noted(image, *args):
        threads.add(threading.get_ident())
        return resize(image, *args)

    monkeypatch.setattr(Image.Image, "resize", noted)
    image = picture(1024, 1024)
    for _ in range(500):  # the other thread may come too late, and then nobody waits for it
        halved(image, (224, 224))
        if len(threads) == 2:
            break

    assert threads == {threading.get_ident(), pool.submit(threading.get_ident).result()}


@pytest.mark.parametrize(
    ("image", "size", "has_idle_thread"),
    [
        (picture(1024, 1024), (224, 224), False),
        (picture(MIN_PIXELS // 256 - 1, 256), (224, 224), True),
        (picture(1024, 1024), (224, 225), True),
        (picture(1024, 1024), (1024, 1024), True),
    ],
    ids=["no idle thread", "small", "no half", "nothing to do"],
)
def test_where_there_is_nothing_to_share_one_thread_does_it(image, size, has_idle_thread):
    whole = resize_shared(image, size, Spare(NoPool(), lambda: has_idle_thread))

    assert whole.tobytes() == resized(image, size).tobytes()
