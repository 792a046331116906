"""From a request to one upload: bytes and a media type that the bytes themselves show.

One rule on all routes. Multipart: the type a part declares is ignored. Raw body: the declared
type must be one that the modality takes. Either way the first bytes decide; bytes of no accepted
type are 415. Tables take a JSON object only. Nothing is decoded here.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Self

from starlette.requests import Request

from contracts.errors import InvalidField, UnsupportedMediaType
from contracts.modality import JPEG, JSON, PNG, WFDB_ZIP, Kind, Modality
from contracts.tables import parse_json_object
from gateway.memory import BodyMemory
from gateway.multipart import Part, parse_multipart, single_text
from serving.body import Pace, receive_body, too_large

#: Room for boundaries, part headers and text fields around the file.
FORM_OVERHEAD_BYTES = 128 * 1024
MULTIPART = "multipart/form-data"
_SIGNATURES = (
    (b"\xff\xd8\xff", JPEG),
    (b"\x89PNG\r\n\x1a\n", PNG),
    (b"PK\x03\x04", WFDB_ZIP),
)


@dataclass(frozen=True, slots=True)
class Upload:
    """One input. `fields` holds the text fields that came with it."""

    payload: bytes
    media_type: str
    sha256: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Intake:
    """What a route takes: media types, sizes, and the names that its form may use."""

    title: str
    media_types: tuple[str, ...]
    max_bytes: int
    max_files: int = 1
    is_table: bool = False
    file_field: str = "file"
    text_fields: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, modality: Modality, *, file_field: str = "file", text_fields: tuple[str, ...] = ()
    ) -> Self:
        """What a modality takes; compatibility routes name other form fields."""
        return cls(
            title=modality.title,
            media_types=modality.media_types,
            max_bytes=modality.limits.max_bytes,
            max_files=modality.max_files,
            is_table=modality.kind is Kind.TABLE,
            file_field=file_field,
            text_fields=text_fields,
        )


class UploadReader:
    """Reads uploads under the limits of the process."""

    def __init__(self, *, pace: Pace, memory: BodyMemory) -> None:
        """`memory` is shared by all readers of the process."""
        self._pace = pace
        self._memory = memory

    @asynccontextmanager
    async def receive(self, request: Request, intake: Intake) -> AsyncIterator[Upload]:
        """Receive and classify the body; its memory is counted until the block ends.

        Raises BadRequest 400, RequestTimeout 408, PayloadTooLarge 413, UnsupportedMediaType 415,
        InvalidField 422 or Overloaded 503, by the head alone where that is possible, and
        Starlette's ClientDisconnect.
        """
        content_type = request.headers.get("content-type", "")
        declared = _check_declared(content_type, intake)
        limit = intake.max_bytes + (FORM_OVERHEAD_BYTES if declared == MULTIPART else 0)
        pieces = []
        with self._memory.share() as share:
            async for piece in receive_body(request, limit, self._pace):
                share.take(len(piece))
                pieces.append(piece)
            body = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            pieces.clear()
            if declared == MULTIPART:
                upload = _from_form(parse_multipart(body, content_type), intake)
            else:
                upload = _upload(body, intake)
            del body  # a form holds the input a second time
            yield upload


def sniff(payload: bytes) -> str | None:
    """Return the media type that the first bytes show, None when it is none of ours."""
    for signature, media_type in _SIGNATURES:
        if payload.startswith(signature):
            return media_type
    return None


def _check_declared(content_type: str, intake: Intake) -> str:
    """Return the declared type in lower case if the modality takes it; 415 otherwise."""
    declared = content_type.partition(";")[0].strip().lower()
    accepted = set(intake.media_types)
    if not intake.is_table:
        accepted.add(MULTIPART)
    if declared not in accepted:
        raise _unsupported(intake)
    return declared


def _upload(payload: bytes, intake: Intake, texts: Mapping[str, str] | None = None) -> Upload:
    """Classify the bytes of one input."""
    if not payload:
        raise InvalidField("The request holds no input.", field="file")
    if len(payload) > intake.max_bytes:
        raise too_large(intake.max_bytes)
    if intake.is_table:
        parse_json_object(payload, max_bytes=intake.max_bytes)
        media_type: str | None = JSON
    else:
        media_type = sniff(payload)
    if media_type is None or media_type not in intake.media_types:
        raise _unsupported(intake)
    return Upload(payload, media_type, hashlib.sha256(payload).hexdigest(), texts or {})


def _from_form(parts: list[Part], intake: Intake) -> Upload:
    """Check the form's structure and take the input out of it."""
    name = intake.file_field
    known = (name, *intake.text_fields)
    if any(part.name not in known for part in parts):
        raise InvalidField(f"The form holds an unknown field. Known: {', '.join(known)}.")
    files = [part for part in parts if part.name == name]
    if not 1 <= len(files) <= intake.max_files or not all(part.is_file for part in files):
        raise _wrong_files(intake)
    found = {field: single_text(parts, field) for field in intake.text_fields}
    texts = {field: text for field, text in found.items() if text is not None}
    return _upload(_payload(files, intake), intake, texts)


def _payload(files: list[Part], intake: Intake) -> bytes:
    """Return the one file's bytes, or a `.hea` and a `.dat` packed into one zip."""
    if intake.max_files == 1:
        return files[0].payload
    by_suffix = {_suffix(part): part.payload for part in files}
    loose = by_suffix.keys() & {".hea", ".dat"}
    if len(files) == 1 and not loose:
        return files[0].payload
    if len(files) != 2 or len(loose) != 2:
        raise _wrong_files(intake)
    return pack_record(by_suffix[".hea"], by_suffix[".dat"])


def pack_record(header: bytes, samples: bytes) -> bytes:
    """Return one uncompressed zip; the same two parts always give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo("record.hea"), header)
        archive.writestr(zipfile.ZipInfo("record.dat"), samples)
    return stream.getvalue()


def _suffix(part: Part) -> str:
    """The ending of the file name in lower case; all that a file name is used for."""
    return (part.filename or "")[-4:].lower()


def _wrong_files(intake: Intake) -> InvalidField:
    """Say which file parts are wanted."""
    name = intake.file_field
    text = f"Send exactly one file in the field {name}."
    if intake.max_files > 1:
        text = (
            f"Send one file in the field {name}, or two for a WFDB record: "
            "one ending in .hea and one ending in .dat."
        )
    return InvalidField(text, field=name)


def _unsupported(intake: Intake) -> UnsupportedMediaType:
    """The 415 with what is taken instead."""
    taken = ", ".join(intake.media_types)
    form = "" if intake.is_table else f", as the raw body or in {MULTIPART}"
    return UnsupportedMediaType(f"{intake.title} takes {taken}{form}.")
