"""From exported feedback to a manifest of the site's own files worth learning from.

The export holds hashes only, so the files are found by SHA-256 in the site's folder: a WFDB
record given as two files by the hash of the zip that the gateway packs of them. Chosen are all
corrected cases and the most uncertain fifth of the others. Each file is its own group, because
the export knows no patient: fill in the column `group` before splitting further.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

from tqdm import tqdm

from training.feedback_export import Case, read_export
from training.manifest import TRAIN, BadManifest, Manifest, Row, file_sha256, write_manifest

_UNCERTAIN_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class FeedbackResult:
    """What was written, and how many inputs were left out for which reason."""

    written: tuple[Path, ...]
    corrected: int
    uncertain: int
    missing: int
    unlabelled: int
    contradictory: int

    def __str__(self) -> str:
        """The counts in one sentence, then the files."""
        counts = (
            f"{self.corrected} corrected and {self.uncertain} uncertain cases; left out: "
            f"{self.missing} without a file, {self.unlabelled} without a label, "
            f"{self.contradictory} corrected in two ways"
        )
        return "\n".join([counts, *(f"wrote {path}" for path in self.written)])


def write_feedback_manifest(export: Path, data: Path, out: Path) -> FeedbackResult:
    """Write the chosen cases whose files lie under `data` to `out` and count the others.

    With several modalities in the export, each goes to its own file, `out` with the modality's
    id behind the stem. Raise BadManifest for a damaged export, or when no file is found.
    """
    if not data.is_dir():
        raise BadManifest(f"{data}: is no folder.")
    cases, contradictory = _one_per_input(read_export(export))
    chosen = _choose([case for case in cases if case.label])
    files = _find_files(data, {case.sha256 for case, _ in chosen})
    found = [(case, reason) for case, reason in chosen if case.sha256 in files]
    if not found:
        raise BadManifest(f"{data}: holds none of the {len(chosen)} chosen inputs.")
    return FeedbackResult(
        written=_write(out, found, files, export),
        corrected=sum(reason == "corrected" for _, reason in found),
        uncertain=sum(reason == "uncertain" for _, reason in found),
        missing=len(chosen) - len(found),
        unlabelled=sum(not case.label for case in cases),
        contradictory=contradictory,
    )


def _one_per_input(cases: Sequence[Case]) -> tuple[list[Case], int]:
    """One case per input, a corrected one first; and how many inputs contradict themselves."""
    by_input: dict[tuple[str, str], list[Case]] = defaultdict(list)
    for case in cases:
        by_input[case.modality, case.sha256].append(case)
    kept = []
    for same in by_input.values():
        if len({case.corrected for case in same if case.corrected}) < 2:
            kept.append(max(same, key=lambda case: (bool(case.corrected), case.uncertainty)))
    return kept, len(by_input) - len(kept)


def _choose(cases: Sequence[Case]) -> list[tuple[Case, str]]:
    """All corrected cases, then of each modality the most uncertain fifth of the others."""
    chosen = [(case, "corrected") for case in cases if case.is_corrected]
    for modality in sorted({case.modality for case in cases}):
        others = [c for c in cases if c.modality == modality and not c.is_corrected]
        others.sort(key=lambda case: (-case.uncertainty, case.sha256))
        count = ceil(_UNCERTAIN_SHARE * len(others))
        chosen += [(case, "uncertain") for case in others[:count]]
    return chosen


def _find_files(data: Path, wanted: Collection[str]) -> dict[str, Path]:
    """The first file (by path) of each wanted digest."""
    paths = sorted(path for path in data.rglob("*") if path.is_file())
    files: dict[str, Path] = {}
    for path in tqdm(paths, "hashing", disable=None):
        digests = [file_sha256(path)]
        if path.suffix.lower() == ".hea" and path.with_suffix(".dat").is_file():
            digests.append(_record_sha256(path))
        for digest in digests:
            if digest in wanted:
                files.setdefault(digest, path.resolve())
    return files


def _record_sha256(header: Path) -> str:
    """The digest of the uncompressed zip that a `.hea` and a `.dat` travel in."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for suffix in (".hea", ".dat"):
            payload = header.with_suffix(suffix).read_bytes()
            archive.writestr(zipfile.ZipInfo(f"record{suffix}"), payload)
    return hashlib.sha256(stream.getvalue()).hexdigest()


def _write(
    out: Path, found: Sequence[tuple[Case, str]], files: dict[str, Path], export: Path
) -> tuple[Path, ...]:
    modalities = sorted({case.modality for case, _ in found})
    written = []
    for modality in modalities:
        path = out if len(modalities) == 1 else out.with_stem(f"{out.stem}-{modality}")
        rows = tuple(
            _to_row(case, reason, files[case.sha256])
            for case, reason in found
            if case.modality == modality
        )
        meta: dict[str, object] = {"source": "site feedback", "export_sha256": file_sha256(export)}
        write_manifest(path, Manifest(modality, rows, meta))
        written.append(path)
    return tuple(written)


def _to_row(case: Case, reason: str, path: Path) -> Row:
    attributes = {
        "reason": reason,
        "given": case.given,
        "uncertainty": f"{case.uncertainty:g}",
        "comment_code": case.comment_code,
    }
    return Row(case.sha256, path, case.label, TRAIN, case.sha256, file_sha256(path), attributes)
