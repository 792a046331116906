"""Generated pictures only; bombs are made at test time."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.images import (
    decode_image,
    image_to_tensor,
    reduced_side,
    sniff_media_type,
    to_canonical,
)
from contracts.modality import ImageSpec, Limits

LIMITS = Limits()
SPEC = ImageSpec()


def scene(width=240, height=160):
    """An RGB picture without symmetry, smooth enough for JPEG."""
    y, x = np.mgrid[0:height, 0:width]
    red = 255 * x / width
    green = 127 + 120 * np.sin(x / 17) * np.cos(y / 11)
    blue = 255 * (y / height) ** 2
    return Image.fromarray(np.stack([red, green, blue], axis=-1).astype(np.uint8))


def encode(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def png(width, height, bits, colour, rows, extra=b""):
    """A PNG made by hand: chunks with right checksums around the given raw rows."""

    def chunk(name, body):
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    ), chunk


def code_of(payload, limits=LIMITS):
    with pytest.raises(InvalidInput) as refused:
        decode_image(payload, limits)
    return refused.value.code


def pixels(payload):
    return np.asarray(decode_image(payload, LIMITS).image).astype(int)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_i1_a_file_cut_anywhere_is_refused(kind):
    payload = encode(scene(), kind)

    for share in (0.05, 0.2, 0.5, 0.8, 0.95):
        assert code_of(payload[: int(len(payload) * share)]) == "image_undecodable"


@pytest.mark.parametrize("progressive", [False, True])
def test_i1_a_jpeg_without_its_last_rows_is_refused(progressive):
    payload = encode(scene(), "JPEG", progressive=progressive)

    assert code_of(payload[:-200]) == "image_undecodable"


def test_i1_random_damage_never_raises_anything_but_our_errors():
    chance = np.random.default_rng(3)
    for kind in ("JPEG", "PNG"):
        original = encode(scene(64, 48), kind)
        for _ in range(150):
            payload = bytearray(original)
            for position in chance.integers(4, len(payload), size=3):
                payload[position] = chance.integers(0, 256)
            try:
                decode_image(bytes(payload), LIMITS)
            except (InvalidInput, UnsupportedMediaType) as error:
                assert error.code


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [60_000, 13_000, 10_000])
def test_i2_i3_too_many_pixels_are_refused_from_the_header(side):
    payload, _ = png(side, side, 8, 0, b"")

    assert code_of(payload) == "too_many_pixels"


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
def test_i2_a_bomb_in_a_text_or_profile_chunk_does_not_inflate(name):
    _, chunk = png(1, 1, 8, 0, b"")
    bomb = chunk(name, b"x\0\0" + zlib.compress(bytes(200_000_000), 9))
    payload, _ = png(64, 64, 8, 0, bytes(65 * 64), extra=bomb)

    import tracemalloc

    tracemalloc.start()
    try:
        decode_image(payload, LIMITS)
    except InvalidInput as error:
        assert error.code == "image_undecodable"
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 64_000_000


def test_i4_several_frames_are_refused():
    frames = [scene(), scene().transpose(Image.Transpose.ROTATE_180)]

    animated = encode(frames[0], "PNG", save_all=True, append_images=frames[1:])
    pair = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])

    assert code_of(animated) == "multi_frame"
    assert code_of(pair) == "multi_frame"


def test_i5_sixteen_bit_grey_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    payload = encode(Image.fromarray(values), "PNG")

    decoded = decode_image(payload, LIMITS)

    assert np.abs(np.asarray(decoded.image)[..., 0] - values / 257.0).max() <= 0.5
    assert decoded.bits == 16


def test_i5_sixteen_bit_colour_is_scaled_and_not_clipped():
    values = np.linspace(0, 65535, 64 * 64 * 3).reshape(64, 64, 3).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    payload, _ = png(64, 64, 16, 2, rows)

    decoded = decode_image(payload, LIMITS)

    assert np.abs(np.asarray(decoded.image).astype(int) - values / 257.0).max() <= 1.0
    assert decoded.bits == 16


def test_i5_transparency_is_laid_over_black():
    grey = np.full((64, 64), 200, dtype=np.uint8)
    alpha = np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1))
    expected = np.round(grey * (alpha / 255.0))
    grey_alpha = Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)])

    for image in (grey_alpha, grey_alpha.convert("RGBA")):
        assert np.abs(pixels(encode(image, "PNG"))[..., 1] - expected).max() <= 1


def test_i5_a_transparent_palette_entry_becomes_black():
    image = Image.new("P", (64, 64), 1)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.paste(0, (0, 0, 32, 64))
    payload = encode(image, "PNG", transparency=0)

    decoded = pixels(payload)

    assert decoded[5, 5].tolist() == [0, 0, 0]
    assert decoded[5, 60].tolist() == [0, 255, 0]


def test_i5_one_bit_and_grey_become_three_equal_channels():
    grey = scene().convert("L")

    for image in (grey, grey.convert("1")):
        decoded = pixels(encode(image, "PNG"))
        assert (decoded[..., 0] == decoded[..., 2]).all()
        assert decoded.max() > 200


def test_i5_cmyk_looks_like_its_rgb_twin():
    image = scene()

    decoded = pixels(encode(image.convert("CMYK"), "JPEG", quality=95))

    assert np.abs(decoded - np.asarray(image).astype(int)).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_i6_every_orientation_gives_the_upright_picture(orientation, kind):
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


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 40, b"x"]
)
def test_i7_damaged_exif_is_ignored(exif):
    payload = encode(scene(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif

    decoded = decode_image(payload[:2] + segment + payload[2:], LIMITS)

    assert decoded.image.size == (240, 160)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_i7_an_orientation_that_does_not_exist_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert decode_image(encode(scene(), "JPEG", exif=exif), LIMITS).image.size == (240, 160)


@pytest.mark.parametrize(
    ("size", "code"),
    [
        ((1, 1), "too_small"),
        ((31, 200), "too_small"),
        ((32, 641), "bad_aspect"),
        ((16_385, 40), "too_many_pixels"),
    ],
)
def test_i8_absurd_sizes_are_refused(size, code):
    assert code_of(encode(Image.new("L", size), "PNG")) == code


def test_i8_the_limits_themselves_are_read():
    assert decode_image(encode(Image.new("L", (32, 640)), "PNG"), LIMITS).image.size == (32, 640)


@pytest.mark.parametrize("tail", [b"PK\x03\x04zip", b"%PDF-1.4", b"<script>alert(1)</script>"])
def test_i11_what_is_appended_changes_nothing(tail):
    payload = encode(scene(), "PNG")

    assert (pixels(payload + tail) == pixels(payload)).all()


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP", "WEBP", "ICO", "PPM"])
def test_i12_other_types_start_no_decoder(kind):
    payload = encode(scene(64, 64), kind)

    assert sniff_media_type(payload) is None
    with pytest.raises(UnsupportedMediaType):
        decode_image(payload, LIMITS)


def test_i13_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded():
    payload = encode(scene(), "JPEG", progressive=True)
    start = payload.index(b"\xff\xda")
    scan = payload[start : payload.index(b"\xff\xda", start + 2)]
    bomb = payload[:start] + scan * 1000 + payload[start:]

    assert code_of(bomb) == "image_undecodable"


@pytest.mark.parametrize(
    "options",
    [
        {"progressive": True},
        {"quality": 1},
        {"quality": 100, "subsampling": 0},
        {"subsampling": 2},
        {"optimize": True},
        {"comment": b"a comment"},
        {"dpi": (72, 72)},
        {"restart_marker_blocks": 4},
        {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"},
    ],
)
def test_odd_but_valid_jpegs_are_read(options):
    assert decode_image(encode(scene(), "JPEG", **options), LIMITS).image.size == (240, 160)


def test_a_jpeg_with_bytes_after_its_end_is_read():
    payload = encode(scene(), "JPEG")

    assert decode_image(payload + b"\0" * 1000, LIMITS).image.size == (240, 160)


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
