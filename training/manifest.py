"""A manifest: the labelled inputs of one modality, who they belong to, and their part.

The file is CSV (`id,path,label,split,group,sha256,<attributes…>`) below one line `# {json}` of
metadata. `path` is relative to the file's folder or absolute. Only `path` and `label` are
required, so a hand-made list can be evaluated. Standard library only.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts.errors import UnknownModality
from contracts.registry import get_modality

TRAIN, VAL, CAL, TEST = "train", "val", "cal", "test"
#: Kept in the file for the record; training and evaluation ignore these parts.
UNUSED, HELD_OUT, LOW_RESOLUTION = "unused", "held_out", "lowres"
#: The parts among which nothing may be shared.
PARTS = (TRAIN, VAL, CAL, TEST)

COLUMNS = ("id", "path", "label", "split", "group", "sha256")
REQUIRED = ("path", "label")
_CHUNK_BYTES = 1 << 20


class BadManifest(Exception):
    """A manifest that cannot be read; the message names file, line and column."""


@dataclass(frozen=True, slots=True)
class Row:
    """One input. `label` joins several labels with ";"; `group` is the unit that never splits."""

    id: str
    path: Path
    label: str
    split: str = TEST
    group: str = ""
    sha256: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of this input; empty for a multi-label input without a finding."""
        return tuple(part for part in self.label.split(";") if part)


@dataclass(frozen=True, slots=True)
class Manifest:
    """The rows of one manifest with its metadata; `sha256` is that of the file's bytes."""

    modality: str
    rows: tuple[Row, ...]
    meta: Mapping[str, object] = field(default_factory=dict)
    sha256: str = ""

    def part(self, split: str) -> tuple[Row, ...]:
        """The rows of one part, in file order."""
        return tuple(row for row in self.rows if row.split == split)

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels in alphabetical order."""
        return tuple(sorted({label for row in self.rows for label in row.labels}))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def read_manifest(path: Path, modality_id: str | None = None) -> Manifest:
    """Read a manifest; raise BadManifest when file, line or column is wrong.

    Labels are checked against the registry when the modality is known, from the argument or
    from the file's metadata; naming a different one than the file does is an error.
    """
    payload = _read_bytes(path)
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadManifest(f"{path}: not UTF-8 at byte {error.start}.") from error
    lines = text.splitlines(keepends=True)
    meta, skipped = _read_meta(path, lines)
    modality = _modality_of(path, meta, modality_id)
    allowed = _known_labels(path, modality)
    rows = tuple(_read_rows(path, "".join(lines[skipped:]), skipped, allowed))
    if not rows:
        raise BadManifest(f"{path}: holds no rows.")
    return Manifest(modality, rows, meta, hashlib.sha256(payload).hexdigest())


def write_manifest(path: Path, manifest: Manifest) -> Manifest:
    """Write a manifest with paths relative to its folder; return it with its own SHA-256.

    The file appears whole or not at all. The same rows and metadata give the same bytes.
    """
    meta = {**manifest.meta, "modality": manifest.modality}
    names = sorted({name for row in manifest.rows for name in row.attributes})
    buffer = io.StringIO()
    buffer.write(f"# {json.dumps(meta, sort_keys=True, ensure_ascii=False)}\n")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*COLUMNS, *names])
    folder = path.parent.resolve()
    for row in manifest.rows:
        place = os.path.relpath(row.path, folder)
        fixed = [row.id, place, row.label, row.split, row.group, row.sha256]
        writer.writerow([*fixed, *(row.attributes.get(name, "") for name in names)])
    payload = buffer.getvalue().encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(payload)
    part.replace(path)
    return Manifest(manifest.modality, manifest.rows, meta, hashlib.sha256(payload).hexdigest())


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadManifest(f"{path}: cannot be read ({error.strerror}).") from error


def _read_meta(path: Path, lines: list[str]) -> tuple[dict[str, object], int]:
    """The merged metadata of the leading `# ` lines, and how many lines they are."""
    meta: dict[str, object] = {}
    for number, line in enumerate(lines):
        if not line.startswith("#"):
            return meta, number
        try:
            found = json.loads(line[1:])
        except ValueError as error:
            raise BadManifest(f"{path}, line {number + 1}: the metadata is no JSON.") from error
        if not isinstance(found, dict):
            raise BadManifest(f"{path}, line {number + 1}: the metadata is no JSON object.")
        meta |= found
    return meta, len(lines)


def _modality_of(path: Path, meta: Mapping[str, object], modality_id: str | None) -> str:
    named = str(meta.get("modality", ""))
    if modality_id and named and named != modality_id:
        raise BadManifest(f"{path}: is a manifest of {named}, not of {modality_id}.")
    if modality_id and (foreign := meta.get("vocabulary")):
        raise BadManifest(
            f"{path}: labels and entries are those of {foreign}, another vocabulary than that of "
            f"{modality_id}; see docs/training.md."
        )
    return modality_id or named


def _known_labels(path: Path, modality: str) -> frozenset[str] | None:
    if not modality:
        return None
    try:
        return frozenset(get_modality(modality).codes)
    except UnknownModality as error:
        raise BadManifest(f"{path}: unknown modality {modality!r}. {error.detail}") from error


def _read_rows(
    path: Path, text: str, skipped: int, allowed: frozenset[str] | None
) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text), strict=True)
    seen: dict[str, int] = {}
    try:
        _check_header(path, skipped + 1, reader.fieldnames)
        for cells in reader:
            line = skipped + reader.line_num
            row = _to_row(path, line, cells)
            _check_labels(path, line, row, allowed)
            if row.id in seen:
                raise BadManifest(
                    f"{path}, line {line}, column id: {row.id!r} is already on line {seen[row.id]}."
                )
            seen[row.id] = line
            yield row
    except csv.Error as error:
        raise BadManifest(f"{path}, line {skipped + reader.line_num + 1}: {error}.") from error


def _check_header(path: Path, line: int, header: object) -> None:
    names = list(header) if isinstance(header, list | tuple) else []
    for name in REQUIRED:
        if name not in names:
            raise BadManifest(f"{path}, line {line}: the column {name!r} is missing.")
    doubled = sorted({str(name) for name in names if names.count(name) > 1})
    if doubled:
        raise BadManifest(f"{path}, line {line}: the column {doubled[0]!r} is there twice.")


def _to_row(path: Path, line: int, cells: Mapping[str | None, object]) -> Row:
    if None in cells or None in cells.values():
        raise BadManifest(f"{path}, line {line}: more or fewer cells than the header has.")
    texts = {str(name): str(value).strip() for name, value in cells.items()}
    if not texts["path"]:
        raise BadManifest(f"{path}, line {line}, column path: is empty.")
    return Row(
        id=texts.get("id") or texts["path"],
        path=(path.parent / texts["path"]).resolve(),
        label=texts["label"],
        split=texts.get("split") or TEST,
        group=texts.get("group") or texts["path"],
        sha256=texts.get("sha256", "").lower(),
        attributes={name: value for name, value in texts.items() if name not in COLUMNS},
    )


def _check_labels(path: Path, line: int, row: Row, allowed: frozenset[str] | None) -> None:
    for label in row.labels if allowed is not None else ():
        if label not in (allowed or ()):
            raise BadManifest(
                f"{path}, line {line}, column label: {label!r} is none of "
                f"{', '.join(sorted(allowed or ()))}."
            )
