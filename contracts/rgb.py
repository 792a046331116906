"""Any decoded picture as RGB, a band of rows at a time.

16 bits are scaled to 8, not clipped; palette, 1-bit, LA and RGBA are composed over black; CMYK goes
through Pillow's conversion; grey is replicated to three channels.

Pillow converts and composes without letting other threads run, a picture of 40 megapixels for a
second. In bands no step takes longer than some milliseconds, so a service goes on answering its
probes, and what lies between source and result is never larger than a band.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

BAND_PIXELS = 500_000
_LAYERED = ("LA", "PA", "RGBA", "La", "RGBa")


def to_rgb(image: Image.Image, band_pixels: int = BAND_PIXELS) -> Image.Image:
    """Return a new RGB picture by the rules above; every pixel for itself."""
    width, height = image.size
    rows = max(1, band_pixels // max(1, width))
    if rows >= height:
        return _converted(image)
    whole = Image.new("RGB", image.size)
    for top in range(0, height, rows):
        band = image.crop((0, top, width, min(height, top + rows)))
        whole.paste(_converted(band), (0, top))
    return whole


def as_rgb(image: Image.Image) -> Image.Image:
    """Return the picture itself when it is RGB, else a new one."""
    return image if image.mode == "RGB" else to_rgb(image)


def is_grey(image: Image.Image) -> bool:
    """True for 8 bits of grey in which no value stands for something else."""
    return image.mode == "L" and "transparency" not in image.info


def _converted(band: Image.Image) -> Image.Image:
    """Convert one band."""
    if band.mode.startswith("I") or band.mode == "F":
        values = np.clip(np.asarray(band), 0, 65_535).astype(np.uint32)
        values += 128
        values //= 257
        return Image.fromarray(values.astype(np.uint8), mode="L").convert("RGB")
    if band.mode in _LAYERED or "transparency" in band.info:
        layered = band.convert("RGBA")
        black = Image.new("RGBA", layered.size, (0, 0, 0, 255))
        return Image.alpha_composite(black, layered).convert("RGB")
    return band.convert("RGB")
