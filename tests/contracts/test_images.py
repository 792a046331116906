"""Conversions that the documentation of `contracts.images` promises."""

import numpy as np
import pytest
from PIL import Image

from contracts.images import decode_image
from tests.contracts.pictures import LIMITS, encode, pixels, png, scene


def test_I5_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    payload = encode(Image.fromarray(values), "PNG")

    decoded = decode_image(payload, LIMITS)

    assert np.abs(np.asarray(decoded.image)[..., 0] - values / 257.0).max() <= 0.5
    assert decoded.bits == 16


def test_I5_sixteen_bit_colour_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 64 * 64 * 3).reshape(64, 64, 3).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    payload, _ = png(64, 64, 16, 2, rows)

    decoded = decode_image(payload, LIMITS)

    assert np.abs(np.asarray(decoded.image).astype(int) - values / 257.0).max() <= 1.0
    assert decoded.bits == 16


def test_I5_transparency_is_laid_over_black():
    grey = np.full((64, 64), 200, dtype=np.uint8)
    alpha = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    expected = np.round(grey * (alpha / 255.0))
    grey_alpha = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])

    for image in (grey_alpha, grey_alpha.convert("RGBA")):
        assert np.abs(pixels(encode(image, "PNG"))[..., 1] - expected).max() <= 1


def test_I5_a_transparent_palette_entry_becomes_black():
    image = Image.new("P", (64, 64), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(0, (0, 0, 32, 64))
    payload = encode(image, "PNG", transparency=0)

    decoded = pixels(payload)

    assert decoded[5, 5].tolist() == [0, 0, 0]
    assert decoded[5, 60].tolist() == [0, 255, 0]


def test_I5_one_bit_and_grey_become_three_equal_channels():
    grey = scene().convert("L")

    for image in (grey, grey.convert("1")):
        decoded = pixels(encode(image, "PNG"))
        assert (decoded[..., 0] == decoded[..., 2]).all()
        assert decoded.max() > 200


def test_I5_cmyk_looks_like_its_rgb_twin():
    image = scene()

    decoded = pixels(encode(image.convert("CMYK"), "JPEG", quality=95))

    assert np.abs(decoded - np.asarray(image).astype(int)).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_I6_every_orientation_gives_the_upright_picture(orientation, kind):
    upright = scene()
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation

    decoded = decode_image(encode(stored, kind, exif=exif), LIMITS)

    assert (decoded.width, decoded.height) == decoded.image.size == upright.size
    assert np.abs(np.asarray(decoded.image).astype(int) - np.asarray(upright)).mean() < 4


def test_grey_with_a_transparent_value_does_not_stay_grey():
    payload = encode(scene().convert("L"), "PNG", transparency=3)

    assert decode_image(payload, LIMITS, keep_grey=True).image.mode == "RGB"
