"""What a route of /v1 refuses, the route for earlier clients refuses with the same words."""

import pytest

from contracts.registry import get_modality
from tests.compat.calls import PICTURES, ROWS
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.forms import CONTENT_TYPE, form, part

JSON = "application/json"


def hostile_uploads(field):
    """Bodies that no route takes, by what is wrong with them; `field` is the route's own."""
    good = part(field, JPEG_BYTES, "a.jpg")
    huge = str(get_modality("chest-xray").limits.max_bytes * 2)
    return {
        "T1 declared too large": ({"content-length": huge}, form(good)),
        "T6 no file": ({}, form()),
        "T6 two files": ({}, form(good, good)),
        "T6 unknown field": ({}, form(good, part("is_admin", b"1"))),
        "T6 text for a file": ({}, form(part(field, JPEG_BYTES))),
        "T6 another type": ({"content-type": "text/plain"}, JPEG_BYTES),
        "T7 cut": ({}, form(good)[:-20]),
        "T7 no boundary": ({"content-type": "multipart/form-data"}, form(good)),
        "T8 many parts": ({}, form(*[part("x", b"")] * 2000)),
        "T10 a text": ({}, form(part(field, b"hello", "a.jpg"))),
        "T11 encoded": ({"content-encoding": "gzip"}, form(good)),
        "I12 a GIF": ({}, form(part(field, b"GIF89a" + bytes(90), "a.jpg"))),
        "I12 DICOM": ({}, form(part(field, bytes(128) + b"DICM", "a.dcm"))),
    }


HOSTILE_DOCUMENTS = {
    "X1 not finite": b'{"age": NaN}',
    "X2 broken": b'{"symptoms": [',
    "X2 deep": b"[" * 100_000,
    "X2 doubled": b'{"a": 1, "a": 2}',
    "X2 surrogate": b'{"symptoms": ["\\ud800"]}',
    "X2 UTF-16": '{"symptoms": []}'.encode("utf-16"),
    "X2 huge": b'{"symptoms": ["' + b"x" * 1_000_000 + b'"]}',
}


async def refusal(client, path, headers, body):
    """Status and code; the body may not repeat what was sent."""
    response = await client.post(path, content=body, headers=headers)
    assert "is_admin" not in response.text
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("path", sorted(PICTURES))
async def test_T16_an_upload_that_v1_refuses_is_refused_alike(client, services, path):
    field, modality = PICTURES[path]
    ours = hostile_uploads("file")
    for name, (headers, body) in hostile_uploads(field).items():
        theirs = await refusal(client, path, {"content-type": CONTENT_TYPE} | headers, body)
        v1 = await refusal(
            client,
            f"/v1/{modality}/predictions",
            {"content-type": CONTENT_TYPE} | ours[name][0],
            ours[name][1],
        )

        assert theirs == v1, name
        assert 400 <= v1[0] < 500, name
    assert not services.asked("/predict")


@pytest.mark.parametrize("path", sorted(ROWS))
@pytest.mark.parametrize("name", sorted(HOSTILE_DOCUMENTS))
async def test_T16_X2_a_document_that_v1_refuses_is_refused_alike(client, services, path, name):
    body = HOSTILE_DOCUMENTS[name]

    theirs = await refusal(client, path, {"content-type": JSON}, body)
    v1 = await refusal(client, f"/v1/{ROWS[path][1]}/predictions", {"content-type": JSON}, body)

    assert theirs == v1
    assert 400 <= v1[0] < 500
    assert not services.asked("/predict")
