"""Generated pictures and hand-made files for the tests of decoding."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from contracts.errors import InvalidInput
from contracts.images import decode_image
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
