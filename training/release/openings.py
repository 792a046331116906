"""Openings: the append-only log of every look at a test set. One look per set and model.

Each line of `test_openings.jsonl` is one JSON object. A model is named by the digest of its
stored weights, which is known before the file that will quote the figures exists.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

OPENINGS = Path(__file__).parents[1] / "test_openings.jsonl"


class AlreadyOpened(ValueError):
    """This model has been measured on this test set before; its figures are in the log."""


@dataclass(frozen=True, slots=True)
class Opening:
    """One look. `set_sha256` names the test inputs themselves, whatever manifest lists them.

    `rule` and `metrics` are kept whole, so that an export that failed later can be repeated
    without a second look.
    """

    date: str
    commit: str
    recipe_sha256: str
    weights_sha256: tuple[str, ...]
    set_id: str
    set_sha256: str
    manifest_sha256: str
    rule: dict[str, Any]
    metrics: dict[str, Any]
    reason: str


def read_openings(log: Path = OPENINGS) -> list[dict[str, Any]]:
    """Return the rows of the log, oldest first; none when there is no log yet."""
    if not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines() if line]


def count_openings(set_sha256: str, log: Path = OPENINGS) -> int:
    """Return how often this test set has been looked at so far, by any model."""
    return sum(row["set_sha256"] == set_sha256 for row in read_openings(log))


def find_opening(
    set_sha256: str, weights_sha256: str, log: Path = OPENINGS
) -> dict[str, Any] | None:
    """Return the row of this set and model, or None."""
    for row in read_openings(log):
        if row["set_sha256"] == set_sha256 and weights_sha256 in row["weights_sha256"]:
            return row
    return None


def refuse_second(set_sha256: str, weights_sha256: str, log: Path = OPENINGS) -> None:
    """Raise AlreadyOpened before anything is measured twice."""
    row = find_opening(set_sha256, weights_sha256, log)
    if row is not None:
        raise AlreadyOpened(f"{row['set_id']} was opened for this model on {row['date']}")


def append_opening(opening: Opening, log: Path = OPENINGS) -> None:
    """Append one row; raise AlreadyOpened when one of its models has been there before."""
    for digest in opening.weights_sha256:
        refuse_second(opening.set_sha256, digest, log)
    with log.open("a") as stream:
        stream.write(json.dumps(asdict(opening), sort_keys=True, allow_nan=False) + "\n")


def weights_digest(weights: dict[str, Tensor]) -> str:
    """Return the SHA-256 over names, types, shapes and bytes of stored weights."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        values = np.ascontiguousarray(weights[name].detach().cpu().numpy())
        digest.update(f"{name} {values.dtype} {values.shape}\n".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()
