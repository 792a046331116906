"""A task that only a convolution solves: fine stripes across or along, on generated films.

Thumbnails of 32 pixels average the stripes away and every film has the same size, so that a
network that answers has beaten its baselines honestly.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

PARTS = {"train": 60, "val": 40, "cal": 40, "test": 40}
#: Enough steps for a random start; a few seconds on one thread.
SETTINGS = (
    "width=64", "height=64", "seeds=[0]", "epochs=10", "head_epochs=1", "batch_size=12",
    "freeze=none", "layer_decay=1.0", "lr=0.003", "head_lr=0.01", "dropout=0.0", "drop_path=0.0",
    "ema=0.5", "patience=99", "label_smoothing=0.0", "augment={}",
)  # fmt: skip


def write_films(folder: Path) -> Path:
    """Write the films and their manifest; return the manifest's path."""
    rng = np.random.default_rng(0)
    rows: list[tuple[str, ...]] = [("path", "label", "split", "group")]
    for part, count in PARTS.items():
        for index in range(count):
            name = f"{part}-{index}.png"
            Image.fromarray(striped(rng, across=index % 2 == 1)).save(folder / name)
            rows.append((name, ("NORMAL", "PNEUMONIA")[index % 2], part, f"{part}-{index}"))
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return manifest


def striped(rng: np.random.Generator, *, across: bool) -> np.ndarray:
    """Return one grey film of 64 pixels with noisy stripes of random phase and strength."""
    phase = int(rng.integers(4))
    stripes = (((np.arange(64) + phase) // 2) % 2 * 2 - 1) * rng.uniform(30, 60)
    film = rng.uniform(90, 160) + (stripes[None, :] if across else stripes[:, None])
    return np.clip(film + rng.normal(0, 10, (64, 64)), 0, 255).astype(np.uint8)
