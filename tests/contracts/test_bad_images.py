"""Damaged, hostile and odd files; bombs are made at test time."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.images import decode_image, sniff_media_type
from tests.contracts.pictures import LIMITS, code_of, encode, pixels, png, scene


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_I1_a_file_cut_anywhere_is_refused(kind):
    payload = encode(scene(), kind)

    for share in (0.05, 0.2, 0.5, 0.8, 0.95):
        assert code_of(payload[: int(len(payload) * share)]) == "image_undecodable"


@pytest.mark.parametrize("progressive", [False, True])
def test_I1_a_jpeg_without_its_last_rows_is_refused(progressive):
    payload = encode(scene(), "JPEG", progressive=progressive)

    assert code_of(payload[:-200]) == "image_undecodable"


def test_I1_random_damage_never_raises_anything_but_our_errors():
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
def test_I2_I3_too_many_pixels_are_refused_from_the_header(side):
    payload, _ = png(side, side, 8, 0, b"")

    assert code_of(payload) == "too_many_pixels"


@pytest.mark.parametrize("name", [b"zTXt", b"iCCP"])
def test_I2_a_bomb_in_a_text_or_profile_chunk_does_not_inflate(name):
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


def test_I4_several_frames_are_refused():
    frames = [scene(), scene().transpose(Image.Transpose.ROTATE_180)]

    animated = encode(frames[0], "PNG", save_all=True, append_images=frames[1:])
    pair = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])

    assert code_of(animated) == "multi_frame"
    assert code_of(pair) == "multi_frame"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*" + b"\xff" * 40, b"x"]
)
def test_I7_damaged_exif_is_ignored(exif):
    payload = encode(scene(), "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif

    decoded = decode_image(payload[:2] + segment + payload[2:], LIMITS)

    assert decoded.image.size == (240, 160)


@pytest.mark.parametrize("error", [OSError, SyntaxError, ValueError, struct.error])
def test_I7_whatever_reading_the_exif_block_raises_is_ignored(error, monkeypatch):
    def fail(_image):
        raise error("damaged")

    monkeypatch.setattr(Image.Image, "getexif", fail)

    assert decode_image(encode(scene(), "PNG"), LIMITS).image.size == (240, 160)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_I7_an_orientation_that_does_not_exist_is_ignored(orientation):
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
def test_I8_absurd_sizes_are_refused(size, code):
    assert code_of(encode(Image.new("L", size), "PNG")) == code


def test_I8_the_limits_themselves_are_read():
    assert decode_image(encode(Image.new("L", (32, 640)), "PNG"), LIMITS).image.size == (32, 640)


@pytest.mark.parametrize("tail", [b"PK\x03\x04zip", b"%PDF-1.4", b"<script>alert(1)</script>"])
def test_I11_what_is_appended_changes_nothing(tail):
    payload = encode(scene(), "PNG")

    assert (pixels(payload + tail) == pixels(payload)).all()


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "BMP", "WEBP", "ICO", "PPM"])
def test_I12_other_types_start_no_decoder(kind):
    payload = encode(scene(64, 64), kind)

    assert sniff_media_type(payload) is None
    with pytest.raises(UnsupportedMediaType):
        decode_image(payload, LIMITS)


def test_I13_a_jpeg_of_a_thousand_scans_is_refused_before_it_is_decoded():
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
