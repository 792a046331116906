"""`last.ckpt`: write and read back everything that a killed run needs to go on unchanged."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

NAME = "last.ckpt"


def save_state(folder: Path, state: dict[str, Any]) -> None:
    """Write the state beside the old one, then replace it: a kill loses one epoch at most."""
    part = folder / f"{NAME}.part"
    with part.open("wb") as stream:
        torch.save(state | {"torch_rng": torch.get_rng_state()}, stream)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(folder / NAME)


def load_state(folder: Path) -> dict[str, Any] | None:
    """Return the saved state after restoring the random generator, or None for a fresh start."""
    path = folder / NAME
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    torch.set_rng_state(state.pop("torch_rng"))
    return state


def save_weights(path: Path, weights: dict[str, torch.Tensor]) -> None:
    """Write plain weights (float32) of a finished seed."""
    torch.save(weights, path)


def load_weights(path: Path) -> dict[str, torch.Tensor]:
    """Read weights in float32: a finished seed, an initialisation, or those of a model file."""
    stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    weights: dict[str, torch.Tensor] = stored.get("weights", stored)
    return {
        name: value.float() if value.is_floating_point() else value
        for name, value in weights.items()
    }
