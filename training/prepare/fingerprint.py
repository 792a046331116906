"""The small grey picture and the perceptual hash by which near-duplicate images are found.

The hash proposes, the picture decides: films of two children can share a hash, but their grey
pictures do not correlate above .99.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from training.manifest import BadManifest

Thumbnail = NDArray[np.float32]
#: Side of the grey picture in pixels.
SIDE = 64


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """When two images of one modality count as the same picture.

    Candidates differ in at most `phash_max` of 64 bits; they are duplicates when their 64-pixel
    grey pictures correlate above `correlation`. `center_crop` compares the centre squares only.
    """

    phash_max: int = 4
    correlation: float = 0.99
    fit: Literal["squash", "center_crop"] = "squash"

    def to_meta(self) -> dict[str, object]:
        """The rule as it stands in a manifest's metadata under `near_duplicates`."""
        return asdict(self)

    @classmethod
    def from_meta(cls, meta: Mapping[str, object]) -> DuplicateRule:
        """The rule of a manifest, or the default; raise BadManifest for an unusable one."""
        found = meta.get("near_duplicates", {})
        try:
            rule = cls(**found)  # type: ignore[arg-type]
            usable = 0 <= rule.phash_max <= 64 and 0 < rule.correlation < 1
        except TypeError as error:
            raise BadManifest(f"near_duplicates in the metadata: {error}.") from error
        if not usable or rule.fit not in ("squash", "center_crop"):
            raise BadManifest("near_duplicates in the metadata is out of range.")
        return rule


def open_grey(path: Path, fit: str) -> Image.Image:
    """The upright image as a 64-pixel grey square; raise BadManifest if it cannot be decoded."""
    try:
        with Image.open(path) as image:
            grey = ImageOps.exif_transpose(image).convert("L")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise BadManifest(f"{path}: is not a readable image.") from error
    if fit == "center_crop":
        grey = ImageOps.fit(grey, (min(grey.size),) * 2)
    return grey.resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def perceptual_hash(grey: Image.Image) -> str:
    """The 64-bit pHash as 16 hexadecimal digits."""
    import imagehash  # a machine that only trains may lack it; prepared manifests carry the hash

    return str(imagehash.phash(grey))


def thumbnail(grey: Image.Image) -> Thumbnail:
    """The grey picture as a unit vector without its mean: a dot product is the correlation."""
    values: Thumbnail = np.array(grey, dtype=np.float32).ravel()
    values -= values.mean()
    length = float(np.linalg.norm(values))
    if length > 0:
        values /= length
    return values
