"""Generated 64-pixel images: smooth random textures, so that two of them never look alike."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., Path]


@pytest.fixture
def draw() -> Draw:
    """Write a texture: the same seed is the same picture, `level` brightens it a little."""

    def write(path: Path, seed: int, *, level: int = 0, size: tuple[int, int] = (64, 64)) -> Path:
        blocks = np.random.default_rng(seed).integers(20, 220, (8, 8), dtype=np.uint8)
        picture = Image.fromarray(blocks)
        picture = picture.resize(size, Image.Resampling.BICUBIC).point(lambda value: value + level)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)
        return path

    return write
