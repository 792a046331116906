"""From bytes to an upright RGB picture, and from the picture to the network's input.

Used by training and by serving alike: the pixels are the model's input, so there is one
implementation. JPEG and PNG only, decided by the first bytes; every limit is checked from the
header before a pixel is decoded.

Conversions: EXIF orientation is applied; 16-bit grey is scaled to 8 bits, not clipped; palette,
1-bit, LA and RGBA are composed over black; CMYK goes through Pillow's conversion; grey is
replicated to three channels.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.modality import JPEG, PNG, ImageSpec, Limits

_DECODE_FAILURES = (
    OSError,
    UnidentifiedImageError,
    TypeError,
    ValueError,
    SyntaxError,
    IndexError,
    KeyError,
    EOFError,
    OverflowError,
    MemoryError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """An upright RGB picture and what its file said of itself (before conversion)."""

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


def decode_image(payload: bytes, limits: Limits) -> Picture:
    """Decode one JPEG or PNG.

    Raises UnsupportedMediaType (415) for other bytes and InvalidInput (422) with code
    `image_undecodable`, `multi_frame`, `too_small`, `too_many_pixels` or `bad_aspect`.
    """
    media_type = sniff_media_type(payload)
    if media_type is None:
        raise UnsupportedMediaType("Send a JPEG or PNG image.")
    try:
        with Image.open(io.BytesIO(payload), formats=("JPEG", "PNG")) as image:
            _check_header(image, limits)
            mode, bits = image.mode, _bits(image)
            image.load()
            upright = _upright(image)
            rgb = _to_rgb(upright)
    except _DECODE_FAILURES as error:
        raise InvalidInput(
            "The image is damaged or incomplete. Export it again as JPEG or PNG.",
            code="image_undecodable",
        ) from error
    return Picture(rgb, media_type, mode, bits, rgb.width, rgb.height)


def image_to_tensor(image: Image.Image, spec: ImageSpec) -> Tensor:
    """Return the float32 input tensor `[3, height, width]` of an upright RGB picture."""
    return normalise(to_canonical(image, spec), spec)


def to_canonical(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """Return the RGB picture at the network's input size, fitted as the spec says."""
    image = to_base(image, spec)
    if image.size != (spec.width, spec.height):
        image = image.resize((spec.width, spec.height), Image.Resampling.BILINEAR)
    return image


def to_base(image: Image.Image, spec: ImageSpec) -> Image.Image:
    """Return the RGB picture fitted to the canonical base size, the training data's resolution."""
    base = (spec.base_width, spec.base_height)
    if spec.fit == "center_crop":
        image = _centre_square(image)
    return image if image.size == base else image.resize(base, Image.Resampling.BILINEAR)


def normalise(image: Image.Image, spec: ImageSpec) -> Tensor:
    """Scale an RGB picture to 0–1 and normalise it per channel: float32 `[3, H, W]`."""
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255.0
    mean, std = torch.tensor(spec.mean)[:, None, None], torch.tensor(spec.std)[:, None, None]
    return ((pixels - mean) / std).contiguous()


def preprocessing_id(spec: ImageSpec) -> str:
    """Return a short digest that names this preprocessing in receipts."""
    return hashlib.sha256(repr(spec).encode()).hexdigest()[:16]


def _check_header(image: Image.Image, limits: Limits) -> None:
    """Refuse by size, aspect and frame count before any pixel is decoded."""
    width, height = image.size
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        raise InvalidInput(
            f"The image has too many pixels. At most {limits.max_pixels} pixels and "
            f"{limits.max_side} per side are read.",
            code="too_many_pixels",
        )
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


def _bits(image: Image.Image) -> int:
    """Bits per channel as the decoder reports them."""
    return {"1": 1, "I": 16, "I;16": 16, "I;16B": 16, "F": 32}.get(image.mode, 8)


def _upright(image: Image.Image) -> Image.Image:
    """Apply EXIF orientation; damaged EXIF is ignored, not an error."""
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, ArithmeticError):
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any decoded mode to RGB by the rules of the module docstring."""
    if image.mode.startswith("I") or image.mode == "F":
        grey = np.asarray(image, dtype=np.float64)
        scaled = np.clip(grey / 257.0, 0, 255).round().astype(np.uint8)
        return Image.fromarray(scaled, mode="L").convert("RGB")
    if image.mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info:
        layered = image.convert("RGBA")
        black = Image.new("RGBA", layered.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, layered).convert("RGB")
    return image.convert("RGB")


def _centre_square(image: Image.Image) -> Image.Image:
    """Return the largest centred square."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
