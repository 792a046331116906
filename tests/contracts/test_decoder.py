import io
import zipfile
from dataclasses import replace

import pytest

from contracts.decoder import decode_input
from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.registry import get_modality

CHEST, ECG = get_modality("chest-xray"), get_modality("ecg")


def a_record() -> bytes:
    """Two seconds of twelve flat leads with one step, format 16, as one uncompressed zip."""
    leads = ("I", "II", "III", "AVR", "AVL", "AVF", "V1", "V2", "V3", "V4", "V5", "V6")
    samples = 200
    lines = [f"record 12 100 {samples}"]
    lines += [f"record.dat 16 1000/mV 16 0 0 5000 0 {lead}" for lead in leads]
    values = bytearray()
    for sample in range(samples):
        values += (500 if 50 <= sample < 60 else 0).to_bytes(2, "little", signed=True) * 12
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("record.hea", "\n".join(lines) + "\n")
        archive.writestr("record.dat", bytes(values))
    return buffer.getvalue()


def test_a_picture_is_decoded_with_the_facts_of_its_source(png_bytes):
    decoded = decode_input(png_bytes, CHEST)

    assert (decoded.width, decoded.height, decoded.mode, decoded.bits) == (96, 80, "L", 8)
    assert (decoded.media_type, decoded.image.mode) == ("image/png", "RGB")
    assert decoded.record is None


def test_a_record_is_drawn_and_kept():
    decoded = decode_input(a_record(), ECG)

    assert decoded.media_type == "application/zip"
    assert decoded.record.sampling_rate_hz == 100.0
    assert decoded.image.size == (decoded.width, decoded.height)


def test_a_record_is_no_input_of_a_picture_modality():
    with pytest.raises(UnsupportedMediaType):
        decode_input(a_record(), CHEST)


@pytest.mark.parametrize("payload", [b"", b"PK", b"\0" * 100, b"<svg/>", b"RIFF....WEBP"])
def test_I12_what_is_neither_is_refused(payload):
    with pytest.raises(UnsupportedMediaType):
        decode_input(payload, ECG)


def test_I12_a_picture_of_a_type_that_the_modality_does_not_take_is_refused(jpeg_bytes):
    only_png = replace(CHEST, media_types=("image/png",))

    with pytest.raises(UnsupportedMediaType):
        decode_input(jpeg_bytes, only_png)


def test_a_damaged_record_is_a_422():
    with pytest.raises(InvalidInput):
        decode_input(a_record()[:-300], ECG)
