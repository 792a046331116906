"""The film that everybody is asked about, with other bytes in every request.

A JPEG comment that counts up makes each file a new one, so no cache of inputs, decodes or
answers can help, and the pixels stay the same.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path

from PIL import Image

from bench.load import NextRequest, Pieces

FILM = Path(__file__).parent.parent / "examples" / "chest-xray" / "IM-0117-0001.jpeg"
_BOUNDARY = "mediflow-bench-boundary"
_DIGITS = 12
_START = b"\xff\xd8"
_COMMENT = b"\xff\xfe" + (_DIGITS + 2).to_bytes(2, "big")


def film(side: int | None = None) -> bytes:
    """Return the film as JPEG: as it is, or enlarged or shrunk so that its longer side fits."""
    payload = FILM.read_bytes()
    if side is None:
        return payload
    with Image.open(io.BytesIO(payload)) as image:
        scale = side / max(image.size)
        size = (round(image.width * scale), round(image.height * scale))
        buffer = io.BytesIO()
        image.resize(size, Image.Resampling.BICUBIC).save(buffer, format="JPEG", quality=90)
    return buffer.getvalue()


def posts(payload: bytes, path: str, field: str, headers: tuple[str, ...] = ()) -> NextRequest:
    """Return what makes the next POST of the film as one field of a multipart form."""
    opening = (
        f"--{_BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="{field}"; filename="film.jpeg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    ).encode()
    closing = f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return _numbered(payload, path, (kind, *headers), opening, closing)


def raw_posts(payload: bytes, path: str, headers: tuple[str, ...] = ()) -> NextRequest:
    """Return what makes the next POST of the film as a plain body."""
    return _numbered(payload, path, ("image/jpeg", *headers), b"", b"")


def _numbered(
    payload: bytes, path: str, headers: tuple[str, ...], opening: bytes, closing: bytes
) -> NextRequest:
    """`headers` begin with the value of Content-Type; further ones are whole lines."""
    if not payload.startswith(_START):
        raise ValueError("the film is no JPEG")
    length = len(opening) + len(payload) + len(_COMMENT) + _DIGITS + len(closing)
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {headers[0]}"]
    lines += [*headers[1:], f"Content-Length: {length}", "", ""]
    before = "\r\n".join(lines).encode() + opening + _START + _COMMENT
    after = payload[len(_START) :] + closing
    numbers = itertools.count()

    def next_request() -> Pieces:
        return before, str(next(numbers)).zfill(_DIGITS).encode(), after

    return next_request


def gets(path: str) -> NextRequest:
    """Return a GET, always the same."""
    request = (f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(),)
    return lambda: request
