"""Who asks: an API key becomes a `Caller`, before the first byte of the body is read.

On loopback, without any key in the database, the gateway is open, so that a demo needs no set-up.
Everywhere else, and from the first key on (revoked ones count), every request needs a key. A
gateway that listens beyond loopback without keys starts, so that keys can be made, and answers 401.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Callable
from datetime import datetime

from contracts.errors import Forbidden, Unauthorized, Unavailable
from gateway.caller import LOCAL_CALLER, Caller, Scope
from gateway.database import STORE_ERRORS
from gateway.keys import KeyStore, StoredKey, digest_of, id_in
from gateway.moment import utc_now, utc_text

#: A revoked key stops working after at most this time on every gateway.
REFRESH_SECONDS = 2.0
#: Compared with when the id is unknown, so that an unknown id takes as long as a wrong secret.
NO_DIGEST = "0" * 64


class Authenticator:
    """Checks keys against a short-lived copy of the key table, so that no request waits for it."""

    def __init__(
        self,
        keys: KeyStore,
        *,
        open_without_keys: bool,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`open_without_keys` is true on loopback only."""
        self._keys = keys
        self._open_without_keys = open_without_keys
        self._now = now
        self._clock = clock
        self._known: dict[str, StoredKey] = {}
        self._read_at: float | None = None
        self._lock = asyncio.Lock()

    async def identify(self, presented: str | None) -> Caller:
        """Return who presents this key; Unauthorized (401) for a wrong, ended or missing one.

        The answer does not tell which of these it was. Raises Unavailable (503) when the keys
        cannot be read.
        """
        await self._refresh()
        return self._match(presented)

    def at_hand(self, presented: str | None) -> Caller | None:
        """Return who presents this key by the copy at hand; None where that does not tell."""
        if not self._is_fresh():
            return None
        try:
            return self._match(presented)
        except Unauthorized:
            return None

    def _match(self, presented: str | None) -> Caller:
        """Look the key up in the copy; Unauthorized for a wrong, ended or missing one."""
        if presented is None:
            if self._open_without_keys and not self._known:
                return LOCAL_CALLER
            raise _unauthorized()
        key = self._known.get(id_in(presented) or "")
        right = hmac.compare_digest(digest_of(presented), key.digest if key else NO_DIGEST)
        if key is None or not right or not key.works_at(utc_text(self._now())):
            raise _unauthorized()
        return Caller(key.id, key.scopes, key.requests_per_minute)

    async def _refresh(self) -> None:
        """Read the table again when the copy is too old."""
        if self._is_fresh():
            return
        async with self._lock:
            if self._is_fresh():
                return
            try:
                async with asyncio.timeout(self._keys.patience_seconds):
                    known = await self._keys.list()
            except STORE_ERRORS as error:
                raise Unavailable(
                    "The API keys cannot be read at the moment.", retry_after_seconds=1
                ) from error
            self._known = {key.id: key for key in known}
            self._read_at = self._clock()

    def _is_fresh(self) -> bool:
        """True while the copy may be used."""
        return self._read_at is not None and self._clock() - self._read_at < REFRESH_SECONDS


def presented_key(authorization: list[str], x_api_key: list[str]) -> str | None:
    """Return the key of the two headers as sent; None when neither is there.

    Raises Unauthorized when several keys or another scheme are sent: which one would count?
    """
    found = [value.strip() for value in x_api_key]
    for value in authorization:
        scheme, _, token = value.partition(" ")
        if scheme.lower() != "bearer":
            raise _unauthorized()
        found.append(token.strip())
    if len(found) > 1:
        raise _unauthorized()
    return found[0] if found else None


def require(caller: Caller, scope: Scope) -> None:
    """Raise Forbidden (403) unless the caller's key allows this."""
    if scope not in caller.scopes:
        raise Forbidden(f"This needs an API key with the scope '{scope.value}'.")


def _unauthorized() -> Unauthorized:
    """The one refusal, whatever was wrong with the key."""
    return Unauthorized(
        "A valid API key is required, as 'Authorization: Bearer mf_…' or 'X-API-Key'."
    )
