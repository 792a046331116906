"""Provenance: how a model file came to be, as plain values that reveal nothing of the machine."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from training.fit.trained import Trained

_LIBRARIES = ("torch", "torchvision", "numpy", "pillow", "scikit-learn")


def provenance_of(trained: Trained, *, weights_sha256: str, now: datetime) -> dict[str, Any]:
    """Return the record that the model file carries; `now` is in UTC."""
    return {
        "created": now.isoformat(timespec="seconds"),
        "commit": git_commit(),
        "libraries": library_versions(),
        "config": trained.config,
        "recipe_sha256": recipe_digest(trained.config),
        "manifest_sha256": trained.manifest.sha256,
        "manifest": dict(trained.manifest.meta),
        "rows_by_part": _rows_by_part(trained),
        "weights_sha256": weights_sha256,
        "seeds": list(trained.seeds),
        "init": trained.init,
        "device": trained.device,
        "training_seconds": float(trained.seconds),
        "epochs": len(trained.history),
    }


def library_versions() -> dict[str, str]:
    """Return the versions of the libraries on which the numbers depend."""
    return {name: version(name) for name in _LIBRARIES}


def recipe_digest(config: Mapping[str, object]) -> str:
    """Return the SHA-256 of a recipe in canonical JSON."""
    return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()


def git_commit(folder: Path = Path(__file__).parent) -> str:
    """Return the commit of the source, `+changes` when it differs from it, or `unknown`."""
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{commit}+changes" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    """Run one reading git command in the folder of the source."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def _rows_by_part(trained: Trained) -> dict[str, int]:
    """Number of rows of each part of the manifest."""
    counts: dict[str, int] = {}
    for row in trained.manifest.rows:
        counts[row.split] = counts.get(row.split, 0) + 1
    return counts
