"""Release: everything a model file says of itself except its weights, and how it is digested.

`models/<modality>/v<N>.pth` or `.skops` holds one dict of plain values. `SHA256SUMS` beside it is
checked before a file is opened, because a flipped byte loads without any error.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from contracts.errors import BadCheckpoint
from contracts.modality import DecisionRule, ImageSpec, Modality, QualityLimits, RenderSpec
from contracts.schemas import ModelRef

T = TypeVar("T")

FORMAT = 1
SUMS = "SHA256SUMS"


@dataclass(frozen=True, slots=True)
class Release:
    """What a model file says; `sha256` is that of the file it was read from.

    `metrics` and `provenance` are plain JSON values. `explanation` holds the layer of the
    influence map and the results of its checks; `validity` the numbers of the input checks that
    are not tensors. Tensors travel beside it, in `Checkpoint`.
    """

    modality: str
    version: int
    arch: str
    labels: tuple[str, ...]
    decision: DecisionRule
    image: ImageSpec | None = None
    render: RenderSpec | None = None
    columns: tuple[str, ...] = ()
    quality: QualityLimits = field(default_factory=QualityLimits)
    validity: dict[str, Any] = field(default_factory=dict)
    explanation: dict[str, Any] = field(default_factory=dict)
    likelihood_ratios: dict[str, dict[str, float]] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    sha256: str = ""

    @property
    def preprocessing_id(self) -> str:
        """Name the numbers that turn an input into the model's: image, render, columns, quality."""
        parts = (self.image, self.render, self.quality)
        return _digest([None if part is None else asdict(part) for part in parts] + [self.columns])

    @property
    def calibration_id(self) -> str:
        """Name the numbers that turn logits into a decision."""
        return _digest(asdict(self.decision))

    def to_plain(self) -> dict[str, Any]:
        """Return nested dicts, lists, strings and numbers only; without the digest."""
        plain = asdict(self)
        del plain["sha256"]
        return {"format": FORMAT, **plain}


def reference_of(release: Release) -> ModelRef:
    """Return how answers name a model file."""
    return ModelRef(
        name=f"{release.modality}-{release.arch}",
        version=f"v{release.version}",
        sha256=release.sha256,
        preprocessing_id=release.preprocessing_id,
        calibration_id=release.calibration_id,
    )


def release_from_plain(plain: dict[str, Any], sha256: str) -> Release:
    """Rebuild a Release; raise BadCheckpoint for an unknown format or missing members."""
    if plain.get("format") != FORMAT:
        raise BadCheckpoint(f"file format {plain.get('format')!r}, this software reads {FORMAT}")
    try:
        return Release(
            modality=plain["modality"],
            version=plain["version"],
            arch=plain["arch"],
            labels=tuple(plain["labels"]),
            decision=DecisionRule(**_tuples(plain["decision"])),
            image=_optional(ImageSpec, plain["image"]),
            render=_optional(RenderSpec, plain["render"]),
            columns=tuple(plain["columns"]),
            quality=QualityLimits(
                **{key: _tuples(plain["quality"][key]) for key in ("warn", "reject")}
            ),
            validity=plain["validity"],
            explanation=plain["explanation"],
            likelihood_ratios=plain["likelihood_ratios"],
            metrics=plain["metrics"],
            provenance=plain["provenance"],
            extra=plain["extra"],
            sha256=sha256,
        )
    except (KeyError, TypeError) as error:
        raise BadCheckpoint("the file lacks a member or holds one of a wrong type") from error


def check_release(release: Release, modality: Modality) -> None:
    """Raise BadCheckpoint when file and registry disagree on modality, labels or activation."""
    if release.modality != modality.id:
        raise BadCheckpoint(f"file is for {release.modality}, process serves {modality.id}")
    if release.labels != modality.codes:
        raise BadCheckpoint("labels of file and registry differ")
    if release.decision.activation != modality.activation:
        raise BadCheckpoint("activation of file and registry differ")


def read_verified(path: Path) -> tuple[bytes, str]:
    """Return the file's bytes and SHA-256 after comparing with `SHA256SUMS` beside it.

    Raises FileNotFoundError when the file itself is missing, BadCheckpoint otherwise.
    """
    payload = path.read_bytes()
    digest = hashlib.sha256(payload).hexdigest()
    try:
        sums = (path.parent / SUMS).read_text().splitlines()
    except OSError as error:
        raise BadCheckpoint(f"{SUMS} is missing or unreadable") from error
    known = {name.lstrip("*"): value for value, _, name in (line.partition("  ") for line in sums)}
    if known.get(path.name) != digest:
        raise BadCheckpoint(f"digest of {path.name} is not the one in {SUMS}")
    return payload, digest


def add_sum(path: Path) -> str:
    """Append the file's SHA-256 to `SHA256SUMS` beside it and return it."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with (path.parent / SUMS).open("a") as sums:
        sums.write(f"{digest}  {path.name}\n")
    return digest


def next_version(folder: Path) -> int:
    """Return the version after the highest one named in the folder or its `SHA256SUMS`."""
    names = [path.name for path in folder.glob("v*.*")]
    sums = folder / SUMS
    if sums.exists():
        names += [line.partition("  ")[2] for line in sums.read_text().splitlines()]
    numbers = [int(stem) for name in names if (stem := name.partition(".")[0][1:]).isdigit()]
    return max(numbers, default=0) + 1


def _digest(plain: object) -> str:
    """Return 16 hexadecimal digits of the SHA-256 of plain values in one order."""
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _tuples(plain: dict[str, Any]) -> dict[str, Any]:
    """Turn lists back into tuples, one level deep."""
    return {key: tuple(value) if isinstance(value, list) else value for key, value in plain.items()}


def _optional(kind: type[T], plain: dict[str, Any] | None) -> T | None:
    """Rebuild an optional dataclass."""
    return None if plain is None else kind(**_tuples(plain))
