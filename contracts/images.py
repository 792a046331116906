"""From bytes to an upright RGB picture.

Used by training and by serving alike: the pixels are the model's input, so there is one
implementation. JPEG and PNG only, decided by the first bytes; every limit is checked from the
header before a pixel is decoded. What the network is given of it: `contracts/preprocessing.py`.

EXIF orientation is applied; how other modes become RGB stands in `contracts/rgb.py`.

A JPEG may be decoded at a reduced scale (`reduced_decode`), so that a photograph of 12 megapixels
costs no more than what the network needs of it.
"""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.modality import JPEG, PNG, Limits
from contracts.rgb import is_grey, to_rgb
from contracts.shortage import is_shortage, out_of_memory

#: What Pillow was seen to raise for damaged files, and its kin.
_DECODE_FAILURES = (
    OSError,
    TypeError,
    ValueError,
    SyntaxError,
    LookupError,
    EOFError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    struct.error,
    zlib.error,
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)
#: A progressive JPEG is decoded once per scan: an honest one has about ten, a bomb thousands.
MAX_SCANS = 100
_START_OF_SCAN = b"\xff\xda"
_ORIENTATION_TAG = 0x0112
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (5, 6, 7, 8)


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright picture, RGB or kept grey, and what its file said of itself (before conversion).

    `width` and `height` are the file's, upright; `image` is smaller after a reduced decode.
    """

    image: Image.Image
    media_type: str
    mode: str
    bits: int
    width: int
    height: int


def sniff_media_type(payload: bytes) -> str | None:
    """Return the media type that the first bytes name, or None. Opens no decoder."""
    if payload.startswith(b"\xff\xd8\xff"):
        return JPEG
    if payload.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    return None


def decode_image(
    payload: bytes, limits: Limits, keep_side: int | None = None, *, keep_grey: bool = False
) -> Picture:
    """Decode one JPEG or PNG; `keep_side` allows a reduced decode that keeps so many pixels a side.

    `keep_grey` leaves an 8-bit grey picture grey; its tensor is the same, for a third of the time.

    Raises UnsupportedMediaType (415) for other bytes and InvalidInput (422) with code
    `image_undecodable`, `multi_frame`, `too_small`, `too_many_pixels` or `bad_aspect`; Overloaded
    (503) when there is no memory for it.
    """
    media_type = sniff_media_type(payload)
    if media_type is None:
        raise UnsupportedMediaType("Send a JPEG or PNG image.")
    if media_type == JPEG and _scans(payload) > MAX_SCANS:
        raise _undecodable()
    try:
        with Image.open(io.BytesIO(payload), formats=("JPEG", "PNG")) as image:
            _check_header(image, limits)
            image.decodermaxblock = len(payload)  # read in one piece: no copies, no joining
            mode, bits, (width, height) = image.mode, _bits(image, payload), image.size
            if keep_side is not None:
                reduced_decode(image, keep_side)
            _load(image, width * height)
            orientation = _orientation(image)
            upright = _turn(image if keep_grey and is_grey(image) else to_rgb(image), orientation)
    except _BOMBS as error:
        raise _too_many_pixels(limits) from error
    except _DECODE_FAILURES as error:
        raise (out_of_memory() if is_shortage(error) else _undecodable()) from error
    if orientation in _SIDEWAYS:
        width, height = height, width
    return Picture(upright, media_type, mode, bits, width, height)


def reduced_decode(image: Image.Image, keep_side: int) -> None:
    """Have a JPEG decoded at 1/2, 1/4 or 1/8, with no side below `keep_side` pixels.

    Works on an opened, not yet loaded image; does nothing to a PNG or a small JPEG. The scaling
    is libjpeg's arithmetic on whole DCT blocks.
    """
    image.draft(None, (keep_side, keep_side))


def _undecodable() -> InvalidInput:
    """What is said of every damaged file."""
    return InvalidInput(
        "The image is damaged or incomplete. Export it again as JPEG or PNG.",
        code="image_undecodable",
    )


def _too_many_pixels(limits: Limits) -> InvalidInput:
    """The 422 that names our limits."""
    return InvalidInput(
        f"The image has too many pixels. At most {limits.max_pixels} pixels and "
        f"{limits.max_side} per side are read.",
        code="too_many_pixels",
    )


def _check_header(image: Image.Image, limits: Limits) -> None:
    """Refuse by size, aspect and frame count before any pixel is decoded."""
    width, height = image.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise _too_many_pixels(limits)
    if min(width, height) < limits.min_side:
        raise InvalidInput(
            f"The image is too small. Each side needs at least {limits.min_side} pixels.",
            code="too_small",
        )
    if max(width, height) > limits.max_aspect * min(width, height):
        raise InvalidInput(
            f"The image is too narrow. The sides may differ by a factor of {limits.max_aspect:g}.",
            code="bad_aspect",
        )
    if getattr(image, "n_frames", 1) > 1:
        raise InvalidInput(
            "The file holds several frames. Send one still image.", code="multi_frame"
        )


def _scans(payload: bytes) -> int:
    """Count the marks of a JPEG scan. `bytes.count` takes five times as long for two bytes."""
    values = np.frombuffer(payload, dtype=np.uint8)
    first, second = _START_OF_SCAN
    return int(np.count_nonzero((values[:-1] == first) & (values[1:] == second)))


def _load(image: Image.Image, pixels: int) -> None:
    """Decode. libjpeg calls the data broken when its memory ran out: ask whether there was any."""
    try:
        image.load()
    except OSError:
        np.empty(pixels * len(image.getbands()), dtype=np.int16)  # its coefficients; never touched
        raise


def _bits(image: Image.Image, payload: bytes) -> int:
    """Bits per channel: a PNG says so in its header, a JPEG that is read here has eight."""
    return payload[24] if image.format == "PNG" else 8


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation; a damaged EXIF block is ignored, not an error."""
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except _DECODE_FAILURES as error:
        if is_shortage(error):
            raise
        return 1
    return orientation if isinstance(orientation, int) else 1


def _turn(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture upright."""
    method = _TRANSPOSE.get(orientation)
    return image if method is None else image.transpose(method)
