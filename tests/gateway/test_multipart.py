import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import BadRequest, InvalidField, ServiceError
from gateway.multipart import (
    MAX_NAME_BYTES,
    MAX_PARTS,
    MAX_TEXT_BYTES,
    parse_multipart,
    single_text,
)
from tests.cpu_time import cpu_seconds, least_cpu_seconds
from tests.gateway.forms import CONTENT_TYPE, form, part


def parse(body, content_type=CONTENT_TYPE):
    return parse_multipart(body, content_type)


def test_files_and_texts_come_back_byte_for_byte():
    payload = bytes(range(256)) + b"\r\n--b0undar\r\n--"

    parts = parse(form(part("file", payload, "a.jpg"), part("patient_id", b"x")))

    assert [(one.name, one.filename, one.payload) for one in parts] == [
        ("file", "a.jpg", payload),
        ("patient_id", None, b"x"),
    ]


@given(st.binary(max_size=2000))
def test_any_bytes_without_the_boundary_survive(payload):
    if b"--b0undary" in payload:
        return

    assert parse(form(part("file", payload, "f")))[0].payload == payload


MALFORMED = {
    "empty": b"",
    "no boundary in it": b"hello",
    "cut before the end": form(part("file", b"x", "f"))[:-6],
    "cut inside a header": form(part("file", b"x", "f"))[:30],
    "another boundary": form(part("file", b"x", "f")).replace(b"b0undary", b"other000"),
    "header without colon": form(b"Content-Disposition form-data\r\n\r\nx"),
    "no disposition": form(b"X: y\r\n\r\nx"),
    "disposition of a mail": form(b'Content-Disposition: attachment; name="file"\r\n\r\nx'),
    "no name": form(b"Content-Disposition: form-data\r\n\r\nx"),
    "doubled header": form(
        b'Content-Disposition: form-data; name="file"\r\n'
        b'Content-Disposition: form-data; name="other"\r\n\r\nx'
    ),
    "header of 64 KB": form(part("file", b"x", "f", headers=b"X: " + b"y" * 65536 + b"\r\n")),
    "many headers": form(part("file", b"x", "f", headers=b"X: y\r\n" * 50)),
    "transfer encoding": form(
        part("file", b"eA==", "f", headers=b"Content-Transfer-Encoding: base64\r\n")
    ),
    "name too long": form(part("n" * (MAX_NAME_BYTES + 1), b"x", "f")),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_T7_a_malformed_form_is_400(body):
    with pytest.raises(BadRequest):
        parse(body)


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
    ],
)
def test_T7_a_missing_or_long_boundary_is_400(content_type):
    with pytest.raises(BadRequest):
        parse(form(part("file", b"x", "f")), content_type)


def test_T7_a_boundary_has_at_most_70_characters_even_where_the_form_uses_it():
    def sent(boundary):
        body = form(part("file", b"x", "f")).replace(b"b0undary", boundary.encode())
        return parse(body, f"multipart/form-data; boundary={boundary}")

    assert sent("y" * 70)[0].payload == b"x"
    with pytest.raises(BadRequest):
        sent("y" * 71)


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 200))
def test_T7_a_damaged_form_is_read_or_refused_but_never_fails(noise, start, length):
    body = bytearray(form(part("file", b"payload", "f"), part("text", b"words")))
    body[start : start + length] = noise

    try:
        parse(bytes(body))
    except ServiceError as error:
        assert error.status == 400


@pytest.mark.parametrize(
    "body",
    [
        form(*[part("file", b"x", "f")] * 1001),
        form(part("text", b"x" * 2_000_000)),
        form(part("file", b"x", "n" * 65536)),
    ],
    ids=["1001 parts", "2 MB text", "64 KB name"],
)
def test_T8_too_much_of_anything_is_400_at_once(body):
    assert cpu_seconds(lambda: refuse(body)) < 0.1


def refuse(body, *content_type):
    with pytest.raises(BadRequest):
        parse(body, *content_type)


def test_T8_a_body_full_of_near_boundaries_costs_nothing():
    """Far less than one turn of a loop for each of them."""
    body = b"--x\r\n" + part("file", b"", "f") + b"\r\n--xy" * 1_000_000 + b"\r\n--x--\r\n"

    ours, turns = least_cpu_seconds(
        lambda: refuse(body, "multipart/form-data; boundary=x"),
        lambda: [None for _ in re.finditer(b"\r\n--x", body)],
        rounds=2,
    )

    assert ours < turns / 2


def test_the_largest_form_that_is_allowed_is_read():
    parts = [part("text", b"x" * MAX_TEXT_BYTES) for _ in range(MAX_PARTS)]

    assert len(parse(form(*parts))) == MAX_PARTS


@pytest.mark.parametrize(
    "parts",
    [
        [part("note", b"a"), part("note", b"b")],
        [part("note", b"a", "note.txt")],
        [part("note", b"\xff\xfe")],
    ],
    ids=["doubled", "as a file", "no UTF-8"],
)
def test_T6_a_text_field_that_is_no_single_text_is_422(parts):
    with pytest.raises(InvalidField):
        single_text(parse(form(*parts)), "note")


def test_an_absent_text_field_is_none():
    assert single_text([], "note") is None
