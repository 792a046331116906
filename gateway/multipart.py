"""Parse a multipart/form-data body that is already in memory; strict, bounded, no temporary file.

File names are used for nothing but their ending (`.hea`, `.dat`) and are never passed on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from contracts.errors import BadRequest, InvalidField

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_PARTS = 16
MAX_TEXT_BYTES = 64 * 1024
MAX_NAME_BYTES = 255
MAX_BOUNDARY_BYTES = 70


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its field name, its file name (None for a text part) and its bytes."""

    name: str
    filename: str | None
    payload: bytes

    @property
    def is_file(self) -> bool:
        """True when the part was sent as a file."""
        return self.filename is not None


def parse_multipart(body: bytes, content_type: str) -> list[Part]:
    """Return the parts in order; raise BadRequest (400) for anything malformed or over a limit."""
    boundary = _boundary(content_type)
    # A body full of near-boundaries would cost the parser seconds; one count costs nothing.
    if body.count(b"--" + boundary) > MAX_PARTS + 1:
        raise BadRequest(f"The form has too many parts. At most {MAX_PARTS} are read.")
    collector = _Collector(body)
    parser = MultipartParser(boundary, collector.callbacks())
    try:
        parser.write(body)
    except FormParserError as error:
        raise _malformed() from error
    if not collector.ended:
        raise _malformed()
    return collector.parts


class _Collector:
    """Collects what the parser reports. The body is fed in one piece, so a span is a slice."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.parts: list[Part] = []
        self.ended = False
        self._begin()

    def callbacks(self) -> MultipartCallbacks:
        """The table that the parser wants."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_end,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        self._headers: dict[bytes, bytes] = {}
        self._field = b""
        self._value = b""
        self._data: list[bytes] = []

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        name = self._field.lower()
        if name in self._headers:
            raise _malformed()
        self._headers[name] = self._value
        self._field = self._value = b""

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data.append(data[start:end])

    def _part_end(self) -> None:
        payload = self._data[0] if len(self._data) == 1 else b"".join(self._data)
        self.parts.append(_part(self._headers, payload))

    def _end(self) -> None:
        self.ended = True


def _part(headers: dict[bytes, bytes], payload: bytes) -> Part:
    """Build a part from its headers; BadRequest when they are not those of a form part."""
    if headers.get(b"content-transfer-encoding", b"binary").lower() not in (b"binary", b"8bit"):
        raise BadRequest("Parts must be sent as they are, without a transfer encoding.")
    kind, options = parse_options_header(headers.get(b"content-disposition", b""))
    name, filename = options.get(b"name"), options.get(b"filename")
    if kind.lower() != b"form-data" or name is None:
        raise _malformed()
    if len(name) > MAX_NAME_BYTES or len(filename or b"") > MAX_NAME_BYTES:
        raise BadRequest(f"A name in the form is longer than {MAX_NAME_BYTES} bytes.")
    if filename is None and len(payload) > MAX_TEXT_BYTES:
        raise BadRequest(f"A text field holds more than {MAX_TEXT_BYTES} bytes.")
    return Part(
        name=name.decode("utf-8", "replace"),
        filename=None if filename is None else filename.decode("utf-8", "replace"),
        payload=payload,
    )


def _boundary(content_type: str) -> bytes:
    """Return the boundary; BadRequest when it is missing or longer than RFC 2046 allows."""
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not 0 < len(boundary) <= MAX_BOUNDARY_BYTES:
        raise BadRequest("The multipart boundary is missing or too long.")
    return boundary


def _malformed() -> BadRequest:
    return BadRequest("The multipart form is malformed.")


def single_text(parts: list[Part], name: str) -> str | None:
    """Return the text of field `name`, None when absent.

    Raises InvalidField when it is doubled, sent as a file, or not UTF-8.
    """
    found = [part for part in parts if part.name == name]
    if not found:
        return None
    if len(found) > 1 or found[0].is_file:
        raise InvalidField(f"{name} must be one text field.", field=name)
    try:
        return found[0].payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidField(f"{name} must be UTF-8 text.", field=name) from error
