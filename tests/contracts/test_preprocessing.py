"""What the network is given of a decoded picture, down to the value."""

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.images import decode_image
from contracts.modality import ImageSpec
from contracts.preprocessing import image_to_tensor, normalise, reduced_side, to_base, to_canonical
from tests.contracts.pictures import LIMITS, SPEC, encode, scene


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
