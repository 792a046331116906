"""From an untrusted zip to the bytes of one WFDB header and one WFDB signal file.

Everything stays in memory: nothing is extracted, no name is ever opened. The declared sizes are
not trusted; what is inflated is counted. The meaning of the two files lives in
`contracts/wfdb_header.py` and `contracts/records.py`.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.shortage import is_shortage, out_of_memory

MAX_ENTRIES = 8
MAX_DIRECTORY_BYTES = 16 * 1024
MAX_HEADER_BYTES = 8 * 1024
MAX_SIGNAL_BYTES = 32 * 1024 * 1024

_LOCAL_FILE, _ZIP64_LOCATOR = b"PK\x03\x04", b"PK\x06\x07"
_END = struct.Struct("<4s4H2LH")
_ENCRYPTED = 0x1
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    OverflowError,
    KeyError,
)


@dataclass(frozen=True, slots=True)
class RecordFiles:
    """The two files of a WFDB record as they were sent."""

    header: bytes
    signals: bytes


def read_archive(payload: bytes) -> RecordFiles:
    """Return the one `.hea` and the one `.dat` of a zip; every other harmless entry is ignored.

    Stored and deflated entries are read. Raises UnsupportedMediaType (415) for bytes that are no
    zip, and InvalidInput (422) with code `bad_archive` for damage, more than 8 entries, more than
    8 KB of header or 32 MB of signal, nested zips, links, encryption, absolute, climbing or
    doubled names, and any other number of records than one.
    """
    if not payload.startswith(_LOCAL_FILE):
        raise UnsupportedMediaType("Send a WFDB record as a zip of one .hea and one .dat file.")
    _check_directory(payload)
    try:
        with zipfile.ZipFile(io.BytesIO(payload)) as archive:
            entries = archive.infolist()
            _check_entries(archive, entries)
            header = _read(archive, _the_one(entries, ".hea"), MAX_HEADER_BYTES)
            signals = _read(archive, _the_one(entries, ".dat"), MAX_SIGNAL_BYTES)
    except _FAILURES as error:
        if is_shortage(error):
            raise out_of_memory() from error
        raise _bad("The zip is damaged, or packed in a way that is not read.") from error
    return RecordFiles(header, signals)


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="bad_archive")


def _check_directory(payload: bytes) -> None:
    """Bound the central directory before it is parsed: parsing costs time for every entry."""
    end = payload[-_END.size :]
    if len(end) < _END.size or not end.startswith(b"PK\x05\x06"):
        raise _bad("The zip is incomplete, or has a comment behind its end.")
    _, _, _, here, total, directory_bytes, _, _ = _END.unpack(end)
    locator = payload[-_END.size - 20 : -_END.size]
    if locator.startswith(_ZIP64_LOCATOR):
        raise _bad("The zip64 format is not read.")
    if max(here, total) > MAX_ENTRIES or directory_bytes > MAX_DIRECTORY_BYTES:
        raise _bad(f"The zip may hold at most {MAX_ENTRIES} entries.")


def _check_entries(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo]) -> None:
    """Refuse the whole archive for one hostile entry, needed or not."""
    if len(entries) > MAX_ENTRIES:
        raise _bad(f"The zip may hold at most {MAX_ENTRIES} entries.")
    names = [entry.orig_filename.casefold() for entry in entries]
    if len(set(names)) != len(names):
        raise _bad("The zip holds two entries of the same name.")
    for entry in entries:
        _check_entry(entry)
        if not entry.is_dir() and _starts_like_a_zip(archive, entry):
            raise _bad("The zip holds another zip.")


def _check_entry(entry: zipfile.ZipInfo) -> None:
    """Refuse links, encryption, other compressions, and names that are none or point anywhere."""
    if entry.flag_bits & _ENCRYPTED:
        raise _bad("The zip is encrypted.")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise _bad("The zip holds a symbolic link.")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _bad("Only stored and deflated entries are read.")
    name = entry.orig_filename
    hostile = (
        not name or name.startswith(("/", "~")) or any(sign in name for sign in ("\\", ":", "\0"))
    )
    if hostile or ".." in name.split("/"):
        raise _bad("The zip holds an empty, absolute or climbing name.")


def _starts_like_a_zip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    with archive.open(entry) as file:
        return file.read(len(_LOCAL_FILE)) == _LOCAL_FILE


def _the_one(entries: list[zipfile.ZipInfo], suffix: str) -> zipfile.ZipInfo:
    """Return the only entry with this ending; the shadow files that macOS adds do not count."""
    found = [
        entry
        for entry in entries
        if entry.filename.casefold().endswith(suffix)
        and not entry.filename.rsplit("/", 1)[-1].startswith("._")
    ]
    if len(found) != 1:
        raise _bad(f"The zip must hold exactly one {suffix} file.")
    return found[0]


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """Inflate one entry up to the limit, counting what comes out."""
    with archive.open(entry) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise _bad(f"A file of the record is larger than the {limit} bytes that are read.")
    return content
