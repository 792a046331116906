"""The samples of `examples/`, as they are sent."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from gateway.upload import pack_record

EXAMPLES = Path(__file__).parents[2] / "examples"


def sample(name: str) -> bytes:
    """One file by its path below `examples/`."""
    return (EXAMPLES / name).read_bytes()


def small(name: str, kind: str, side: int = 160) -> bytes:
    """A picture of the examples with at most `side` pixels, as `kind` (JPEG, PNG)."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(sample(name))) as picture:
        picture.thumbnail((side, side))
        picture.save(stream, kind)
    return stream.getvalue()


def record_zip() -> bytes:
    """A WFDB record as one zip."""
    return pack_record(sample("ecg/00003_lr.hea"), sample("ecg/00003_lr.dat"))
