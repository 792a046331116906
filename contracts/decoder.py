"""From the bytes of one upload to a picture: an image is decoded, an ECG record is drawn.

The bytes decide what they are; a declared media type is a hint that nobody needs to trust.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from contracts.errors import UnsupportedMediaType
from contracts.images import decode_image, sniff_media_type
from contracts.modality import WFDB_ZIP, Limits, Modality, RenderSpec

if TYPE_CHECKING:
    from contracts.records import Waveform

_ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class Decoded:
    """What an upload holds: an upright picture, its source facts, and the record if any.

    The picture is RGB, or grey where `decode_input` was asked to keep that.

    `width` and `height` are those of the upright source; the picture may be smaller (see
    `contracts.images.decode_image`). For a record they are those of the page.
    """

    image: Image.Image
    media_type: str
    mode: str
    bits: int
    width: int
    height: int
    record: Waveform | None = None


def decode_input(
    payload: bytes,
    modality: Modality,
    *,
    render: RenderSpec | None = None,
    keep_side: int | None = None,
    keep_grey: bool = False,
    limits: Limits | None = None,
) -> Decoded:
    """Decode one upload of this modality.

    `render` overrides the registry's page; `keep_side` allows a reduced-scale JPEG decode that
    keeps so many pixels a side, `keep_grey` a grey picture that stays grey. Raises
    UnsupportedMediaType (415) and InvalidInput (422).
    """
    if is_record(payload, modality):
        return _decode_record(payload, render or modality.render or RenderSpec())
    media_type = sniff_media_type(payload)
    if media_type is None or media_type not in modality.media_types:
        raise UnsupportedMediaType(f"Send one of: {', '.join(modality.media_types)}.")
    picture = decode_image(payload, limits or modality.limits, keep_side, keep_grey=keep_grey)
    return Decoded(
        picture.image,
        picture.media_type,
        picture.mode,
        picture.bits,
        picture.width,
        picture.height,
    )


def is_record(payload: bytes, modality: Modality) -> bool:
    """True when the bytes are read as a WFDB record of this modality."""
    return payload.startswith(_ZIP) and WFDB_ZIP in modality.media_types


def _decode_record(payload: bytes, spec: RenderSpec) -> Decoded:
    """Read a WFDB record and draw its page; only this path needs the record modules."""
    from contracts.records import decode_record
    from contracts.renderer import render

    record = decode_record(payload)
    page = render(record, spec)
    return Decoded(page, WFDB_ZIP, "RGB", 8, page.width, page.height, record)
