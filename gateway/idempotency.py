"""The same POST again gives the same answer: its JSON is kept per `Idempotency-Key`, for a while.

Kept are the answer, a hash of the key and a hash of the question; never the input. A key stands for
one question of one caller on one route: with another input it is 409. While the first request is
still at work, a second one waits for its answer, and is told 409 with Retry-After if that takes too
long. The answer is kept in the very transaction that writes the audit record (`Claim.outcome`), so
no answer is kept without its record.

A request that ends without a kept answer gives its key free at once. When the store cannot even be
told that, the claim is remembered as forsaken and taken out by whatever is written here next.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Delete, Update, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import Conflict, InvalidField, Unavailable
from contracts.receipts import canonical_json
from gateway.database import STORE_ERRORS, Database
from gateway.tables import IDEMPOTENT_ANSWERS

KEEP_SECONDS = 15 * 60.0
#: After this time a claim without an answer counts as that of a process that died.
CLAIM_SECONDS = 60.0
WAIT_SECONDS = 5.0
POLL_SECONDS = 0.1
MAX_KEY_CHARACTERS = 255
#: More than any outage leaves behind that anybody would wait for; the oldest are forgotten first.
MAX_FORSAKEN = 1000

COLUMNS = IDEMPOTENT_ANSWERS.c


@dataclass(frozen=True, slots=True)
class Repeatable:
    """One question under one key. `key_hash` and `fingerprint` are SHA-256 in hexadecimal."""

    caller: str
    key_hash: str
    route: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer a repeatable question; `token` tells it from an earlier, dead one."""

    question: Repeatable
    token: str
    keep_until: float

    def outcome(self, answer: str | None) -> Update | Delete:
        """Return the statement that keeps the answer, or gives the key free when there is none."""
        mine = (*_same_key(self.question), COLUMNS.claim == self.token)
        if answer is None:
            return delete(IDEMPOTENT_ANSWERS).where(*mine)
        return (
            update(IDEMPOTENT_ANSWERS)
            .where(*mine)
            .values(answer=answer, expires_at=self.keep_until)
        )


class IdempotentAnswers:
    """The kept answers of one database."""

    def __init__(
        self,
        database: Database,
        *,
        keep_seconds: float = KEEP_SECONDS,
        wait_seconds: float = WAIT_SECONDS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`clock` is the wall clock: answers outlive the process. A jump keeps them longer or
        shorter, and changes nothing else.
        """
        self._database = database
        self._keep_seconds = keep_seconds
        self._wait_seconds = wait_seconds
        self._clock = clock
        self._forsaken: dict[str, None] = {}

    async def claim(self, question: Repeatable) -> Claim | str:
        """Return the kept answer, or the claim to make it.

        Raises Conflict (409) for another question under the same key or while the first is still
        being answered, and Unavailable (503) when the store cannot be asked.
        """
        waited_until = asyncio.get_running_loop().time() + self._wait_seconds
        while True:
            found = await self._try(question)
            if found is not None:
                return found
            if asyncio.get_running_loop().time() >= waited_until:
                raise Conflict(
                    "The first request with this Idempotency-Key is still being answered.",
                    code="idempotency_in_progress",
                    retry_after_seconds=1,
                )
            await asyncio.sleep(POLL_SECONDS)

    async def release(self, claim: Claim) -> None:
        """Give a key free outside of an audit transaction; never raises for a store that fails."""
        self.forsake(claim)
        await self.clear_forsaken()

    def forsake(self, claim: Claim) -> None:
        """Remember that nobody will answer under this claim any more. Never waits."""
        self._forsaken[claim.token] = None
        while len(self._forsaken) > MAX_FORSAKEN:
            del self._forsaken[next(iter(self._forsaken))]

    async def clear_forsaken(self) -> None:
        """Take forsaken claims out of the store, now or, if it cannot be written, later."""
        if not self._forsaken:
            return
        with contextlib.suppress(*STORE_ERRORS):
            async with self._writing():
                pass

    async def forget_claims(self) -> None:
        """Drop claims without an answer: those of the process that ended before this one began."""
        async with self._database.writing() as connection:
            await connection.execute(delete(IDEMPOTENT_ANSWERS).where(COLUMNS.answer.is_(None)))

    async def _try(self, question: Repeatable) -> Claim | str | None:
        """Claim or read once; None while another request is at work."""
        claim = Claim(question, secrets.token_hex(16), self._clock() + self._keep_seconds)
        try:
            async with self._writing() as connection:
                return await self._claim_or_read(connection, claim)
        except IntegrityError:
            return None  # another gateway claimed it a moment ago
        except Conflict:
            raise
        except BaseException as error:
            self.forsake(claim)  # it may have been written all the same
            if isinstance(error, STORE_ERRORS):
                raise Unavailable(
                    "The kept answers cannot be read at the moment.", retry_after_seconds=1
                ) from error
            raise

    @contextlib.asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a transaction of bounded time in which nothing forsaken is left."""
        tokens = list(self._forsaken)
        async with (
            asyncio.timeout(self._database.patience_seconds),
            self._database.writing() as connection,
        ):
            if tokens:
                unanswered = COLUMNS.claim.in_(tokens), COLUMNS.answer.is_(None)
                await connection.execute(delete(IDEMPOTENT_ANSWERS).where(*unanswered))
            yield connection
        for token in tokens:
            self._forsaken.pop(token, None)

    async def _claim_or_read(self, connection: AsyncConnection, claim: Claim) -> Claim | str | None:
        """Decide inside one transaction."""
        now, question = self._clock(), claim.question
        await connection.execute(delete(IDEMPOTENT_ANSWERS).where(COLUMNS.expires_at <= now))
        statement = select(COLUMNS.fingerprint, COLUMNS.answer).where(*_same_key(question))
        row = (await connection.execute(statement)).one_or_none()
        if row is None:
            await connection.execute(insert(IDEMPOTENT_ANSWERS), _to_row(claim, now))
            return claim
        if row.fingerprint != question.fingerprint:
            raise Conflict(
                "This Idempotency-Key was used for another input.", code="idempotency_mismatch"
            )
        answer: str | None = row.answer
        return answer


def repeatable(caller: str, key: str, route: str, question: dict[str, object]) -> Repeatable:
    """Name a question by its hashes; InvalidField (422) for a key that is none."""
    if not 1 <= len(key) <= MAX_KEY_CHARACTERS or not key.isascii() or not key.isprintable():
        raise InvalidField(
            f"Idempotency-Key is 1 to {MAX_KEY_CHARACTERS} printable ASCII characters.",
            field="Idempotency-Key",
        )
    return Repeatable(
        caller,
        hashlib.sha256(key.encode()).hexdigest(),
        route,
        hashlib.sha256(canonical_json(question)).hexdigest(),
    )


def _same_key(question: Repeatable) -> tuple[ColumnElement[bool], ...]:
    """The row of a question."""
    return (
        COLUMNS.caller == question.caller,
        COLUMNS.key_hash == question.key_hash,
        COLUMNS.route == question.route,
    )


def _to_row(claim: Claim, now: float) -> dict[str, object]:
    """A claim without an answer yet."""
    return {
        "caller": claim.question.caller,
        "key_hash": claim.question.key_hash,
        "route": claim.question.route,
        "fingerprint": claim.question.fingerprint,
        "claim": claim.token,
        "answer": None,
        "expires_at": now + CLAIM_SECONDS,
    }
