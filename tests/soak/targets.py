"""The parsers that read what strangers send, each with samples to begin with."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass

from tests.soak.samples import EXAMPLES, record_zip, sample

_FORM = (
    b"multipart/form-data; boundary=x\n"
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.hea"\r\n'
    b"Content-Type: text/plain\r\n\r\nbytes\r\n"
    b'--x\r\nContent-Disposition: form-data; name="use_tta"\r\n\r\ntrue\r\n--x--\r\n'
)


@dataclass(frozen=True, slots=True)
class Target:
    """A parser of bytes, whole inputs that it takes, and how long inputs may get."""

    parse: Callable[[bytes], object]
    seeds: list[bytes]
    most_bytes: int


def images() -> Target:
    """The decoder of pictures, full and reduced."""
    from contracts.images import decode_image
    from contracts.modality import Limits

    def parse(data: bytes) -> None:
        decode_image(data, Limits(), keep_side=64 if len(data) % 2 else None)

    return Target(parse, _pictures(), 16_384)


def multipart() -> Target:
    """The parser of forms: the first line is the content type, the rest the body."""
    from gateway.multipart import parse_multipart, single_text

    def parse(data: bytes) -> None:
        content_type, _, body = data.partition(b"\n")
        single_text(parse_multipart(body, content_type.decode("latin-1")), "use_tta")

    empty = b'multipart/form-data; boundary="a b"\n--a b--\r\n'
    return Target(parse, [_FORM, empty], 8_192)


def wfdb_header() -> Target:
    """The reader of the text file that describes a record."""
    from contracts.wfdb_header import parse_header

    return Target(parse_header, [path.read_bytes() for path in EXAMPLES.glob("ecg/*.hea")], 10_000)


def wfdb_record() -> Target:
    """The reader of the samples: two bytes say how long the header before them is."""
    from contracts.archives import RecordFiles
    from contracts.records import decode_files

    def parse(data: bytes) -> None:
        size = int.from_bytes(data[:2], "big")
        decode_files(RecordFiles(data[2 : 2 + size], data[2 + size :]))

    header = sample("ecg/00003_lr.hea")
    seed = len(header).to_bytes(2, "big") + header + sample("ecg/00003_lr.dat")
    return Target(parse, [seed], 30_000)


def zipped_record() -> Target:
    """The reader of a zip that holds a record."""
    from contracts.records import decode_record

    return Target(decode_record, [record_zip()], 30_000)


def tables() -> Target:
    """The reader of JSON bodies, and of both kinds of document that they hold."""
    from contracts.errors import ServiceError
    from contracts.registry import get_modality
    from contracts.tables import decode_table, parse_json_object
    from contracts.vocabulary import Vocabulary, decode_terms

    factors = get_modality("heart-risk").table
    vocabulary = Vocabulary(get_modality("symptoms").vocabulary)
    assert factors is not None

    def parse(data: bytes) -> None:
        document = parse_json_object(data)
        try:
            decode_table(document, factors)
        except ServiceError:
            decode_terms(document, vocabulary)

    seeds = [sample("heart-risk/man-58.json"), sample("symptoms/chills-and-fever.json")]
    return Target(parse, seeds, 70_000)


#: By the name on the command line.
TARGETS: dict[str, Callable[[], Target]] = {
    "images": images,
    "multipart": multipart,
    "wfdb-header": wfdb_header,
    "wfdb-record": wfdb_record,
    "zipped-record": zipped_record,
    "tables": tables,
}


def _pictures() -> list[bytes]:
    """Small pictures of every mode and shape of file that is read."""
    from PIL import Image

    with Image.open(io.BytesIO(sample("breast-ultrasound/benign-31.png"))) as original:
        picture = original.convert("RGB").resize((80, 64))
    exif = Image.Exif()
    exif[0x0112] = 6
    pngs = [picture.convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")]
    jpegs = [picture.convert(mode) for mode in ("L", "RGB", "CMYK")]
    return [
        *(_encoded(one, "PNG") for one in pngs),
        *(_encoded(one, "JPEG", exif=exif) for one in jpegs),
        _encoded(picture, "JPEG", progressive=True),
    ]


def _encoded(picture: object, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)  # type: ignore[attr-defined]
    return stream.getvalue()
