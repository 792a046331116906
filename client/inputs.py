"""From what a caller holds (a path, bytes, a row) to the bytes and the media type that are sent."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from client.errors import UnusableInput

JPEG, PNG, ZIP, JSON = "image/jpeg", "image/png", "application/zip", "application/json"
#: Endings of the files that are found in a folder. A `.dat` comes along with its `.hea`.
SUFFIXES = (".jpg", ".jpeg", ".png", ".hea", ".zip", ".json")
_SIGNATURES = ((b"\xff\xd8\xff", JPEG), (b"\x89PNG\r\n\x1a\n", PNG), (b"PK\x03\x04", ZIP))


@dataclass(frozen=True)
class Input:
    """One input, ready to be sent. Its bytes are never shown, and no file name is sent."""

    payload: bytes = field(repr=False)
    media_type: str

    @cached_property
    def sha256(self) -> str:
        """The hash by which answer, receipt and audit name this input."""
        return hashlib.sha256(self.payload).hexdigest()

    @classmethod
    def of(cls, source: Source) -> Self:
        """Return the input that a path, bytes or a row stand for; raise UnusableInput."""
        if isinstance(source, cls):
            return source
        if isinstance(source, bytes):
            return cls.of_bytes(source)
        if isinstance(source, Mapping):
            return cls.of_row(source)
        if isinstance(source, str | Path):
            return cls.of_path(Path(source))
        raise UnusableInput("An input is a path, bytes, or a mapping of factors.")

    @classmethod
    def of_bytes(cls, payload: bytes) -> Self:
        """Name the type of an image, a zipped record or a JSON object by its first bytes."""
        for signature, media_type in _SIGNATURES:
            if payload.startswith(signature):
                return cls(payload, media_type)
        if payload.lstrip()[:1] == b"{":
            return cls(payload, JSON)
        raise UnusableInput("This is no JPEG, PNG, WFDB record (.hea and .dat, or zip) or JSON.")

    @classmethod
    def of_path(cls, path: Path) -> Self:
        """Read a file; of a WFDB record, either file brings the other along."""
        try:
            if path.suffix.lower() in (".hea", ".dat"):
                header, samples = _pair(path)
                return cls.of_record(header.read_bytes(), samples.read_bytes())
            return cls.of_bytes(path.read_bytes())
        except OSError as error:
            raise UnusableInput(f"Cannot read it: {error.strerror}.") from error

    @classmethod
    def of_record(cls, header: bytes, samples: bytes) -> Self:
        """Pack the `.hea` and the `.dat` of one record, byte for byte as the gateway packs them."""
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr(zipfile.ZipInfo("record.hea"), header)
            archive.writestr(zipfile.ZipInfo("record.dat"), samples)
        return cls(stream.getvalue(), ZIP)

    @classmethod
    def of_row(cls, row: Mapping[str, object]) -> Self:
        """Write a row of factors as JSON."""
        return cls(json.dumps(dict(row), ensure_ascii=False, allow_nan=False).encode(), JSON)

    @classmethod
    def of_symptoms(cls, symptoms: Sequence[str]) -> Self:
        """Write symptoms as JSON; ids, names and synonyms are understood."""
        return cls.of_row({"symptoms": list(symptoms)})


#: What stands for an input wherever one is asked for.
Source = str | Path | bytes | Mapping[str, object] | Input


def gather(paths: Sequence[Path]) -> list[Path]:
    """Return the input files of these paths in order, each record once, folders with all below.

    A file that is named is taken whatever its ending; in a folder, endings decide and hidden
    files are left out. Raises UnusableInput for a path that does not exist.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif path.exists():
            found[_named(path)] = None
        else:
            raise UnusableInput(f"There is no {path}.")
    return list(found)


def _below(folder: Path) -> list[Path]:
    """The input files anywhere below a folder, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES
        and path.is_file()
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _named(path: Path) -> Path:
    """The header stands for its record, so that a record that is named twice is sent once."""
    header = _sibling(path, ".hea") if path.suffix.lower() == ".dat" else None
    return header or path


def _pair(path: Path) -> tuple[Path, Path]:
    """Return header and samples of the record that one of the two files belongs to."""
    header, samples = _sibling(path, ".hea"), _sibling(path, ".dat")
    if header is None or samples is None:
        missing = ".hea" if header is None else ".dat"
        raise UnusableInput(f"A record is two files; {path.stem}{missing} is missing beside it.")
    return header, samples


def _sibling(path: Path, suffix: str) -> Path | None:
    """The file of the same stem with this ending, in either case."""
    choices = (path.with_suffix(suffix), path.with_suffix(suffix.upper()))
    return next((choice for choice in choices if choice.exists()), None)
