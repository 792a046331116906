"""Reading the images of a data set once: digest, size, perceptual hash and grey picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageStat
from tqdm import tqdm

from training.manifest import BadManifest, file_sha256
from training.prepare.fingerprint import Thumbnail, open_grey, perceptual_hash, thumbnail

IMAGE_SUFFIXES = frozenset({".jpeg", ".jpg", ".png"})


class BadData(BadManifest):
    """The folder does not hold the data set in its published layout."""


@dataclass(frozen=True, slots=True)
class Scan:
    """What was read of one image; `grey` is its 64-pixel picture, see training.prepare.fingerprint.

    `brightness` and `contrast` are mean and standard deviation of the grey values, 0–255.
    """

    path: Path
    sha256: str
    width: int
    height: int
    phash: str
    grey: Thumbnail
    brightness: float
    contrast: float

    @property
    def attributes(self) -> dict[str, str]:
        """The columns that every image manifest carries."""
        return {"width": str(self.width), "height": str(self.height), "phash": self.phash}


def find_images(folder: Path) -> list[Path]:
    """The image files directly in a folder, sorted by name, hidden ones ignored."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
    )


def scan_images(paths: Iterable[Path], fit: str) -> list[Scan]:
    """Read every image once, with a progress bar on a terminal."""
    return [scan_image(path, fit) for path in tqdm(list(paths), "reading", disable=None)]


def scan_image(path: Path, fit: str) -> Scan:
    """Read one image; raise BadManifest if it cannot be decoded."""
    grey = open_grey(path, fit)
    statistics = ImageStat.Stat(grey)
    with Image.open(path) as image:
        width, height = image.size
    return Scan(
        path=path.resolve(),
        sha256=file_sha256(path),
        width=width,
        height=height,
        phash=perceptual_hash(grey),
        grey=thumbnail(grey),
        brightness=statistics.mean[0],
        contrast=statistics.stddev[0],
    )


def first_folder(data: Path, candidates: Sequence[str], *, holding: str) -> Path:
    """The first of the candidate folders that holds `holding`; raise BadData if none does."""
    for candidate in candidates:
        if (data / candidate / holding).exists():
            return data / candidate
    raise BadData(f"{data}: holds no {holding!r}, so this is not the published layout.")
