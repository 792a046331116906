"""Save and load `.skops` model files: the only user of skops.

One file holds one dict: everything the Release says, the fitted scikit-learn objects by name,
and the golden cases. The digest is checked before the file is opened, types are trusted by an
explicit list, and the scikit-learn that fitted the objects must be the one that is installed.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sklearn
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from contracts.errors import BadCheckpoint
from contracts.modality import Modality
from contracts.release import Release, add_sum, check_release, read_verified, release_from_plain
from contracts.tables import Json

#: Beyond scikit-learn's own types, which skops knows. `numpy.dtype` only names a number format.
TRUSTED = ("numpy.dtype",)
#: Largest difference of a golden logit that another processor may make.
GOLDEN_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class GoldenCase:
    """An input document and the logits that the released file gave for it."""

    document: Mapping[str, Json]
    logits: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SavedEstimator:
    """A tabular model file in memory. `estimators` are fitted scikit-learn objects by name."""

    release: Release
    estimators: Mapping[str, Any]
    golden: tuple[GoldenCase, ...]


def installed_version() -> str:
    """Return major and minor version of the scikit-learn that computes here, as files state it."""
    return ".".join(str(sklearn.__version__).split(".")[:2])


def save_estimator(saved: SavedEstimator, folder: Path) -> Path:
    """Write `v<version>.skops` and its digest; never overwrite; half a file never looks whole.

    Raises FileExistsError when the version exists and BadCheckpoint for a type that loading
    would refuse or a golden logit that is not finite.
    """
    payload = skops.io.dumps(_to_plain(saved), compression=zipfile.ZIP_DEFLATED)
    if set(skops.io.get_untrusted_types(data=payload)) - set(TRUSTED):
        raise BadCheckpoint("the model holds a type that is not on the trusted list")
    _check_golden(saved)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"v{saved.release.version}.skops"
    part = path.with_suffix(".skops.part")
    with part.open("wb") as stream:
        stream.write(payload)
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(part, path)
    finally:
        part.unlink()
    add_sum(path)
    return path


def load_estimator(path: Path, modality: Modality) -> SavedEstimator:
    """Read a model file: digest, trusted types, format, labels, scikit-learn version.

    Raises FileNotFoundError when it is missing and BadCheckpoint when it must not be served.
    """
    payload, digest = read_verified(path)
    plain = _loads(payload)
    release = release_from_plain(plain, digest)
    check_release(release, modality)
    try:
        stated = str(plain["scikit_learn"])
        saved = SavedEstimator(
            release=release,
            estimators=dict(plain["estimators"]),
            golden=tuple(
                GoldenCase(dict(case["document"]), tuple(map(float, case["logits"])))
                for case in plain["golden"]
            ),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadCheckpoint("the file lacks estimators, golden cases or its version") from error
    if stated != installed_version():
        raise BadCheckpoint(
            f"fitted with scikit-learn {stated}, installed is {installed_version()}"
        )
    _check_golden(saved)
    return saved


def golden_difference(golden: Sequence[GoldenCase], logits: Sequence[Sequence[float]]) -> float:
    """Return the largest absolute difference between stored and recomputed golden logits."""
    return max(
        (
            abs(stored - now) if math.isfinite(now) else math.inf
            for case, row in zip(golden, logits, strict=True)
            for stored, now in zip(case.logits, row, strict=True)
        ),
        default=0.0,
    )


def _to_plain(saved: SavedEstimator) -> dict[str, Any]:
    """One dict for the file."""
    return saved.release.to_plain() | {
        "scikit_learn": installed_version(),
        "estimators": dict(saved.estimators),
        "golden": [
            {"document": dict(case.document), "logits": list(case.logits)} for case in saved.golden
        ],
    }


def _loads(payload: bytes) -> dict[str, Any]:
    """Open the bytes with the trusted list; translate what skops raises for a bad file."""
    try:
        plain = skops.io.loads(payload, trusted=list(TRUSTED))
    except UntrustedTypesFoundException as error:
        raise BadCheckpoint("the file holds a type that is not on the trusted list") from error
    except (
        zipfile.BadZipFile,
        ImportError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        IndexError,
        OSError,
        NotImplementedError,
    ) as error:
        raise BadCheckpoint("the file is no skops model file") from error
    if not isinstance(plain, dict):
        raise BadCheckpoint("the file holds no dict")
    return plain


def _check_golden(saved: SavedEstimator) -> None:
    """Raise BadCheckpoint without a golden case of finite logits, one per label."""
    size = len(saved.release.labels)
    if not saved.golden or not all(
        len(case.logits) == size and all(map(math.isfinite, case.logits)) for case in saved.golden
    ):
        raise BadCheckpoint("the file lacks golden cases with finite logits")
