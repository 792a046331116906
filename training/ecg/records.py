"""WFDB records on disk: packed as the gateway packs an upload, then decoded as served."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from contracts.records import Waveform, decode_record
from training.manifest import BadManifest


def pack(header: Path) -> bytes:
    """Return the `.hea` and the `.dat` beside it as one uncompressed zip.

    Raises BadManifest when one of them cannot be read.
    """
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("record.hea", header.read_bytes())
            archive.writestr("record.dat", header.with_suffix(".dat").read_bytes())
    except OSError as error:
        raise BadManifest(f"{header}: the record cannot be read.") from error
    return buffer.getvalue()


def read_waveform(header: Path) -> Waveform:
    """Decode a record on disk by the code that serves; raises as `decode_record` and `pack`."""
    return decode_record(pack(header))
