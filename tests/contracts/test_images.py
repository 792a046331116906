"""Conversions that the documentation of `contracts.images` promises."""

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.images import (
    decode_image,
    image_to_tensor,
    normalise,
    reduced_side,
    to_base,
    to_canonical,
)
from contracts.modality import ImageSpec
from tests.contracts.pictures import LIMITS, SPEC, encode, pixels, png, scene


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


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_reduced_decode_keeps_the_sizes_and_nearly_the_tensor(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    payload = encode(scene(2400, 1800), "JPEG", quality=92, exif=exif)
    full = decode_image(payload, LIMITS)

    reduced = decode_image(payload, LIMITS, reduced_side(SPEC))

    difference = image_to_tensor(reduced.image, SPEC) - image_to_tensor(full.image, SPEC)
    assert (reduced.width, reduced.height) == (full.width, full.height)
    assert reduced.image.width < full.image.width
    assert min(reduced.image.size) >= reduced_side(SPEC)
    assert float(difference.abs().mean()) < 0.02


def test_a_picture_at_its_base_size_is_not_resampled():
    image = scene(224, 224)

    assert to_canonical(image, SPEC).tobytes() == image.tobytes()


def test_a_centre_crop_takes_the_middle_square():
    image = Image.new("RGB", (448, 224), (255, 0, 0))
    image.paste((0, 0, 255), (112, 0, 336, 224))

    cropped = to_canonical(image, ImageSpec(fit="center_crop"))

    assert cropped.getcolors() == [(224 * 224, (0, 0, 255))]


def test_the_tensor_of_a_known_picture_is_golden():
    """The anti-drift test: another Pillow or torch must not change what the network sees."""
    tensor = image_to_tensor(scene(500, 300), ImageSpec())

    assert tensor.shape == (3, 224, 224)
    assert tensor.dtype == torch.float32
    sampled = tensor[:, 10::67, 20::67].flatten().tolist()
    assert sampled == pytest.approx(GOLDEN, abs=0.02)


#: Made once with Pillow 13.0 and torch 2.15.
GOLDEN = [
    -1.741,
    -0.423,
    0.879,
    2.18,
    -1.741,
    -0.423,
    0.879,
    2.18,
    -1.741,
    -0.423,
    0.879,
    2.18,
    -1.741,
    -0.423,
    0.879,
    2.18,
    0.485,
    -0.443,
    0.87,
    -0.32,
    -0.775,
    2.061,
    -1.878,
    1.641,
    0.433,
    -0.32,
    0.73,
    -0.215,
    0.993,
    -1.405,
    1.921,
    -1.055,
    -1.804,
    -1.804,
    -1.804,
    -1.804,
    -1.282,
    -1.282,
    -1.282,
    -1.282,
    0.026,
    0.026,
    0.026,
    0.026,
    2.135,
    2.135,
    2.135,
    2.135,
]


@pytest.mark.parametrize("fit", ["squash", "center_crop"])
@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(("kind", "size"), [("JPEG", (1422, 1152)), ("PNG", (150, 133))])
def test_a_picture_that_stays_grey_gives_the_very_same_pixels(kind, size, orientation, fit):
    exif = Image.Exif()
    exif[0x0112] = orientation
    payload = encode(scene(*size).convert("L"), kind, exif=exif)
    spec = ImageSpec(width=160, height=160, fit=fit)

    grey = decode_image(payload, LIMITS, reduced_side(spec), keep_grey=True)
    whole = decode_image(payload, LIMITS, reduced_side(spec))

    assert (grey.image.mode, whole.image.mode) == ("L", "RGB")
    ours, theirs = to_canonical(grey.image, spec), to_canonical(whole.image, spec)
    assert (ours.mode, ours.convert("RGB").tobytes()) == ("L", theirs.tobytes())
    assert torch.equal(normalise(ours, spec), normalise(theirs, spec))
    assert to_base(grey.image, spec).tobytes() == to_base(whole.image, spec).tobytes()


@pytest.mark.parametrize("spec", [SPEC, ImageSpec(mean=(0.1, 0.7, 0.3), std=(0.9, 0.017, 0.37))])
def test_every_value_of_every_channel_is_normalised_as_torch_does_it(spec):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    grey = Image.fromarray(levels)
    colour = Image.fromarray(np.stack([levels, levels.T, levels[::-1]], axis=-1))
    mean, std = torch.tensor(spec.mean)[:, None, None], torch.tensor(spec.std)[:, None, None]

    for image in (grey, colour):
        batch = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float()
        tensor = normalise(image, spec)
        assert torch.equal(tensor, (batch / 255.0 - mean) / std)
        assert tensor.is_contiguous()


def test_grey_with_a_transparent_value_does_not_stay_grey():
    payload = encode(scene().convert("L"), "PNG", transparency=3)

    assert decode_image(payload, LIMITS, keep_grey=True).image.mode == "RGB"
