"""Turn a request away at the door: by its head alone, before anything is built for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.errors import ServiceError


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a request as it was sent; names of headers are in lower case."""

    method: bytes
    target: bytes
    headers: Sequence[tuple[bytes, bytes]]

    def texts(self, name: bytes) -> list[str]:
        """Return the values of one header."""
        return [value.decode("latin-1") for key, value in self.headers if key == name]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the caller is told as soon as `recorded` is done; its ServiceError replaces `error`."""

    error: ServiceError
    request_id: str
    recorded: asyncio.Future[Any]

    @property
    def answer(self) -> ServiceError:
        """Return the error to tell; `recorded` is done."""
        failure = self.recorded.exception()
        return failure if isinstance(failure, ServiceError) else self.error


class Door(Protocol):
    """Who decides. Asked for every request, so it must cost next to nothing."""

    def look(self, head: Head) -> Refusal | None:
        """Return a refusal, or None to let the app decide."""
