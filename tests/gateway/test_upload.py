import io
import zipfile

import pytest
from starlette.requests import Request

from contracts.errors import (
    BadRequest,
    InvalidField,
    InvalidInput,
    PayloadTooLarge,
    UnsupportedMediaType,
)
from contracts.modality import JPEG, PNG, WFDB_ZIP
from contracts.registry import get_modality
from gateway.memory import BodyMemory
from gateway.upload import FORM_OVERHEAD_BYTES, Intake, UploadReader, pack_record, sniff
from serving.body import Pace
from tests.gateway.fakes import JPEG_BYTES, PNG_BYTES, ZIP_BYTES
from tests.gateway.forms import CONTENT_TYPE, form, part

XRAY = Intake.of(get_modality("chest-xray"))
ECG = Intake.of(get_modality("ecg"))
SYMPTOMS = Intake.of(get_modality("symptoms"))


def request_with(body, headers):
    """A request that arrives in two pieces."""
    middle = len(body) // 2
    messages = [
        {"type": "http.request", "body": body[:middle], "more_body": True},
        {"type": "http.request", "body": body[middle:], "more_body": False},
    ]

    async def receive():
        return messages.pop(0)

    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


async def read(body, content_type, intake=XRAY, memory=None, **headers):
    reader = UploadReader(pace=Pace(), memory=memory or BodyMemory(1 << 30))
    request = request_with(body, {"Content-Type": content_type} | headers)
    async with reader.receive(request, intake) as upload:
        return upload


async def test_a_file_in_a_form_and_the_raw_body_are_the_same_upload():
    from_form = await read(form(part("file", JPEG_BYTES, "a.jpg")), CONTENT_TYPE)
    raw = await read(JPEG_BYTES, "image/jpeg")

    assert from_form == raw
    assert raw.media_type == JPEG


@pytest.mark.parametrize("declared", ["image/jpeg", "image/png", "IMAGE/PNG; x=y"])
@pytest.mark.parametrize(("payload", "shown"), [(JPEG_BYTES, JPEG), (PNG_BYTES, PNG)])
async def test_T10_the_first_bytes_decide_and_not_the_declared_type(declared, payload, shown):
    raw = await read(payload, declared)
    header = f"Content-Type: {declared}\r\n".encode()
    in_form = await read(form(part("file", payload, "x", headers=header)), CONTENT_TYPE)

    assert (raw.media_type, in_form.media_type) == (shown, shown)


@pytest.mark.parametrize(
    "payload",
    [b"GIF89a..", b"BM....", b"II*\0", b"RIFF....WEBP", b"%PDF-1.7", b"<svg/>", b"8BPS", ZIP_BYTES],
    ids=["gif", "bmp", "tiff", "webp", "pdf", "svg", "psd", "zip"],
)
async def test_T10_bytes_of_no_accepted_type_are_415_whatever_is_declared(payload):
    for body, content_type in (
        (payload, "image/jpeg"),
        (form(part("file", payload, "a.jpg")), CONTENT_TYPE),
    ):
        with pytest.raises(UnsupportedMediaType):
            await read(body, content_type)


@pytest.mark.parametrize("declared", ["", "text/plain", "application/octet-stream", "image/gif"])
async def test_T6_a_raw_body_of_a_missing_or_wrong_type_is_415(declared):
    with pytest.raises(UnsupportedMediaType):
        await read(JPEG_BYTES, declared)


BAD_FORMS = {
    "no file": form(part("other", b"x", "f")),
    "nothing": form(),
    "two files": form(part("file", JPEG_BYTES, "a"), part("file", JPEG_BYTES, "b")),
    "wrong field": form(part("image", JPEG_BYTES, "a")),
    "unknown field beside it": form(part("file", JPEG_BYTES, "a"), part("extra", b"x")),
    "file as text": form(part("file", JPEG_BYTES)),
    "empty file": form(part("file", b"", "a")),
}


@pytest.mark.parametrize("body", BAD_FORMS.values(), ids=BAD_FORMS.keys())
async def test_T6_a_missing_doubled_or_unknown_part_is_422(body):
    with pytest.raises(InvalidField):
        await read(body, CONTENT_TYPE)


async def test_a_compatibility_route_takes_its_own_fields_and_no_other():
    intake = Intake.of(get_modality("chest-xray"), file_field="image", text_fields=("patient_id",))

    upload = await read(
        form(part("image", JPEG_BYTES, "a"), part("patient_id", b"P-1")), CONTENT_TYPE, intake
    )

    assert upload.fields == {"patient_id": "P-1"}
    with pytest.raises(InvalidField):
        await read(form(part("file", JPEG_BYTES, "a")), CONTENT_TYPE, intake)


async def test_header_and_samples_are_packed_the_same_way_in_either_order():
    header, samples = part("file", b"HEADER", "a.HEA"), part("file", b"\x01\x02", "../../b.dat")

    first = await read(form(header, samples), CONTENT_TYPE, ECG)
    second = await read(form(samples, header), CONTENT_TYPE, ECG)

    assert first == second
    assert first.media_type == WFDB_ZIP
    with zipfile.ZipFile(io.BytesIO(first.payload)) as archive:
        assert archive.read("record.hea") == b"HEADER"
        assert archive.read("record.dat") == b"\x01\x02"
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


BAD_RECORDS = {
    "header alone": [("a.hea", b"x")],
    "samples alone": [("a.dat", b"x")],
    "two headers": [("a.hea", b"x"), ("b.hea", b"y")],
    "two samples": [("a.dat", b"x"), ("b.dat", b"y")],
    "zip and header": [("a.zip", ZIP_BYTES), ("a.hea", b"x")],
    "two pictures": [("a.jpg", JPEG_BYTES), ("b.jpg", JPEG_BYTES)],
    "three parts": [("a.hea", b"x"), ("a.dat", b"y"), ("b.dat", b"z")],
}


@pytest.mark.parametrize("files", BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
async def test_W6_a_record_that_is_not_one_header_and_one_sample_file_is_422(files):
    body = form(*(part("file", payload, name) for name, payload in files))
    with pytest.raises(InvalidField):
        await read(body, CONTENT_TYPE, ECG)


@pytest.mark.parametrize("payload", [JPEG_BYTES, PNG_BYTES, ZIP_BYTES])
async def test_an_ecg_is_also_taken_as_one_file(payload):
    upload = await read(form(part("file", payload, "a.bin")), CONTENT_TYPE, ECG)

    assert upload.payload == payload


async def test_a_table_is_a_json_object_and_is_passed_on_unchanged():
    body = b'{"symptoms": ["cough"]}'

    upload = await read(body, "application/json; charset=utf-8", SYMPTOMS)

    assert upload.payload == body


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", InvalidField),
        (b"{", BadRequest),
        (b"[]", InvalidInput),
        (b'{"a": NaN}', InvalidInput),
        (b'{"a": 1, "a": 2}', InvalidInput),
        (b'{"a": "\\ud800"}', InvalidInput),
        (b'{"a": ' + b"[" * 9 + b"]" * 9 + b"}", InvalidInput),
        (b'\xef\xbb\xbf{"a": 1}', BadRequest),
        (b" " * (64 * 1024 + 1), PayloadTooLarge),
    ],
)
async def test_X1_X2_json_that_is_not_plain_is_refused_before_any_service(body, error):
    with pytest.raises(error):
        await read(body, "application/json", SYMPTOMS)


async def test_a_table_takes_no_form():
    with pytest.raises(UnsupportedMediaType):
        await read(form(part("file", b"{}", "a.json")), CONTENT_TYPE, SYMPTOMS)


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip"])
async def test_T11_an_encoded_body_is_415(encoding):
    with pytest.raises(UnsupportedMediaType):
        await read(JPEG_BYTES, "image/jpeg", **{"Content-Encoding": encoding})


async def test_T1_a_declared_oversize_is_refused_by_the_head_alone():
    too_many = str(XRAY.max_bytes + 1)
    with pytest.raises(PayloadTooLarge):
        await read(JPEG_BYTES, "image/jpeg", **{"Content-Length": too_many})


async def test_T2_a_file_in_a_form_has_the_same_limit_as_a_raw_body():
    small = Intake(title="X", media_types=(JPEG,), max_bytes=1000)
    fits = JPEG_BYTES + b"x" * (1000 - len(JPEG_BYTES))

    for payload in (fits, fits + b"x"):
        body = form(part("file", payload, "f"))
        if payload is fits:
            assert len((await read(body, CONTENT_TYPE, small)).payload) == 1000
        else:
            with pytest.raises(PayloadTooLarge):
                await read(body, CONTENT_TYPE, small)
            with pytest.raises(PayloadTooLarge):
                await read(b"x" * (1001 + FORM_OVERHEAD_BYTES), CONTENT_TYPE, small)


async def test_the_memory_of_an_upload_is_held_until_it_is_done_with():
    memory = BodyMemory(1000)
    reader = UploadReader(pace=Pace(), memory=memory)
    request = request_with(JPEG_BYTES, {"Content-Type": "image/jpeg"})

    async with reader.receive(request, XRAY):
        assert memory.held_bytes == len(JPEG_BYTES)
    assert memory.held_bytes == 0


def test_nothing_is_sniffed_from_too_few_bytes():
    assert sniff(b"\xff\xd8") is None


def test_packing_is_deterministic():
    assert pack_record(b"a", b"b") == pack_record(b"a", b"b")
