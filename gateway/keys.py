"""API keys as stored: made, listed, revoked. Only digests are kept; a key is shown once.

A key reads `mf_<id>_<secret>`. The id names the row and may be logged; the secret has 256 random
bits, so a plain SHA-256 is enough and no slow hash is needed.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select, update

from gateway.caller import Scope
from gateway.database import Database
from gateway.moment import utc_now, utc_text
from gateway.tables import API_KEYS

PREFIX = "mf"
ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"
ID_CHARACTERS = 10


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One row: everything about a key but its secret. Times are UTC text."""

    id: str
    digest: str
    name: str
    scopes: frozenset[Scope]
    created: str
    expires: str | None
    revoked: str | None
    requests_per_minute: int | None

    def works_at(self, moment: str) -> bool:
        """True when neither revoked nor expired at a time (UTC text)."""
        return self.revoked is None and (self.expires is None or moment < self.expires)


@dataclass(frozen=True, slots=True)
class NewKey:
    """What `make` returns: the row, and the key in clear for the one time it is shown."""

    stored: StoredKey
    clear: str


class KeyStore:
    """The keys of one database."""

    def __init__(self, database: Database, now: Callable[[], datetime] = utc_now) -> None:
        """Owns neither of the two."""
        self._database = database
        self._now = now
        self.patience_seconds = database.patience_seconds

    async def make(
        self,
        name: str,
        scopes: frozenset[Scope],
        *,
        valid_days: int | None = None,
        requests_per_minute: int | None = None,
    ) -> NewKey:
        """Store a new key and return it in clear. Raises ValueError without any scope."""
        if not scopes:
            raise ValueError("a key without scopes would allow nothing")
        key_id = "".join(secrets.choice(ID_ALPHABET) for _ in range(ID_CHARACTERS))
        clear = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
        now = self._now()
        expires = None if valid_days is None else utc_text(now + timedelta(days=valid_days))
        stored = StoredKey(
            key_id,
            digest_of(clear),
            name,
            scopes,
            utc_text(now),
            expires,
            None,
            requests_per_minute,
        )
        async with self._database.writing() as connection:
            await connection.execute(insert(API_KEYS), _to_row(stored))
        return NewKey(stored, clear)

    async def list(self) -> list[StoredKey]:
        """Return every key ever made, oldest first."""
        async with self._database.reading() as connection:
            rows = await connection.execute(select(API_KEYS).order_by(API_KEYS.c.created))
            return [_from_row(row) for row in rows]

    async def revoke(self, key_id: str) -> bool:
        """End a key's life now; False when there is no such key that still works."""
        async with self._database.writing() as connection:
            result = await connection.execute(
                update(API_KEYS)
                .where(API_KEYS.c.id == key_id, API_KEYS.c.revoked.is_(None))
                .values(revoked=utc_text(self._now()))
            )
            return result.rowcount == 1


def digest_of(clear: str) -> str:
    """Return the SHA-256 under which a key is stored."""
    return hashlib.sha256(clear.encode("utf-8", "surrogatepass")).hexdigest()


def id_in(clear: str) -> str | None:
    """Return the id part of something that has the form of a key, else None."""
    parts = clear.split("_", 2)
    return parts[1] if len(parts) == 3 and parts[0] == PREFIX and parts[2] else None


def _to_row(key: StoredKey) -> dict[str, object]:
    """The row of a key."""
    return {
        "id": key.id,
        "digest": key.digest,
        "name": key.name,
        "scopes": " ".join(sorted(key.scopes)),
        "created": key.created,
        "expires": key.expires,
        "revoked": key.revoked,
        "requests_per_minute": key.requests_per_minute,
    }


def _from_row(row: Row[Any]) -> StoredKey:
    """The key of a row; a scope that this version does not know allows nothing."""
    known = frozenset(scope for scope in Scope if scope in row.scopes.split())
    return StoredKey(
        row.id,
        row.digest,
        row.name,
        known,
        row.created,
        row.expires,
        row.revoked,
        row.requests_per_minute,
    )
