"""Reading the CSV that `python -m gateway feedback export` writes, one case per input.

Columns: input_sha256, modality, given_label, corrected_label, uncertainty, comment_code; others
are ignored. It holds hashes and labels, never an input.
"""

from __future__ import annotations

import csv
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import UnknownModality
from contracts.registry import get_modality
from training.manifest import BadManifest

COLUMNS = (
    "input_sha256", "modality", "given_label", "corrected_label", "uncertainty", "comment_code",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What was said of one input; `uncertainty` is 0–1, `corrected` empty without a correction."""

    sha256: str
    modality: str
    given: str
    corrected: str
    uncertainty: float
    comment_code: str

    @property
    def is_corrected(self) -> bool:
        """True when a person named another label than the model gave."""
        return bool(self.corrected) and self.corrected != self.given

    @property
    def label(self) -> str:
        """The label to learn: the person's, else the one that nobody objected to."""
        return self.corrected or self.given


def read_export(path: Path) -> list[Case]:
    """The cases in file order; raise BadManifest naming line and column of what is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            _check_header(path, reader.fieldnames)
            return [_to_case(path, reader.line_num, cells) for cells in reader]
    except OSError as error:
        raise BadManifest(f"{path}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadManifest(f"{path}: is no CSV in UTF-8 ({error}).") from error


def _check_header(path: Path, header: Sequence[str] | None) -> None:
    for name in COLUMNS:
        if name not in (header or ()):
            raise BadManifest(f"{path}, line 1: the column {name!r} is missing.")


def _to_case(path: Path, line: int, cells: Mapping[str, str | None]) -> Case:
    texts = {name: (cells[name] or "").strip() for name in COLUMNS}
    place = f"{path}, line {line}, column"
    digest = texts["input_sha256"].lower()
    if len(digest) != 64 or set(digest) - set(string.hexdigits):
        raise BadManifest(f"{place} input_sha256: is no SHA-256.")
    try:
        codes = get_modality(texts["modality"]).codes
    except UnknownModality as error:
        raise BadManifest(f"{place} modality: {error.detail}") from error
    for name in ("given_label", "corrected_label"):
        for label in filter(None, texts[name].split(";")):
            if label not in codes:
                raise BadManifest(f"{place} {name}: {label!r} is none of {', '.join(codes)}.")
    return Case(
        sha256=digest,
        modality=texts["modality"],
        given=texts["given_label"],
        corrected=texts["corrected_label"],
        uncertainty=_uncertainty(place, texts["uncertainty"]),
        comment_code=texts["comment_code"],
    )


def _uncertainty(place: str, text: str) -> float:
    """The number in 0–1; an empty cell counts as 0, so that the case never ranks high."""
    try:
        value = float(text or 0)
    except ValueError as error:
        raise BadManifest(f"{place} uncertainty: is no number.") from error
    if not 0 <= value <= 1:
        raise BadManifest(f"{place} uncertainty: is not in 0 to 1.")
    return value
