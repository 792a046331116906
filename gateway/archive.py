"""Reading the audit: verify, search, export, and the retention that keeps the rest verifiable.

Nothing here appends; that is `audit`. Each reading sees one state of the database, so that it may
run beside a working gateway.
"""

from __future__ import annotations

import asyncio
import operator
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.anchors import AnchorFile
from gateway.chain import ChainRecord, ChainVerifier, Fault, Link, Position, sign_position
from gateway.database import Database
from gateway.tables import AUDIT_BASES, AUDIT_HEAD, AUDIT_RECORDS

RECORDS_PER_READ = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: how far the chain reaches, and what is wrong with it."""

    records: int
    last_seq: int
    anchors: int
    faults: tuple[Fault, ...]

    @property
    def holds(self) -> bool:
        """True when nothing is wrong."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for; None matches everything. Times are UTC text and half-open."""

    since: str | None = None
    until: str | None = None
    caller: str | None = None
    request_id: str | None = None
    prediction_id: str | None = None


class AuditArchive:
    """The audit records of one database, read in order."""

    def __init__(self, database: Database, anchors: AnchorFile) -> None:
        """Owns neither of the two."""
        self._database = database
        self._anchors = anchors

    async def verify(self, keys: Sequence[Ed25519PublicKey]) -> Verdict:
        """Check the whole chain against the signed head and the anchor file.

        Raises BadAnchorFile for a damaged anchor file. Anchors are read first: those of a gateway
        at work never run ahead of the records read after them.
        """
        anchors = await asyncio.to_thread(self._anchors.read)
        async with self._database.reading() as connection:
            verifier = ChainVerifier(keys, base=await _base(connection), anchors=anchors)
            async for record in _records(connection, Query()):
                verifier.feed(record)
            faults = verifier.finish(await _head(connection))
        return Verdict(verifier.records, verifier.link.seq, len(anchors), faults)

    async def search(self, query: Query) -> AsyncIterator[ChainRecord]:
        """Yield the matching records in order of their sequence number."""
        async with self._database.reading() as connection:
            async for record in _records(connection, query):
                yield record

    async def find_prediction(self, prediction_id: str) -> ChainRecord | None:
        """Return the record of a prediction, or None."""
        async with self._database.reading() as connection:
            async for record in _records(connection, Query(prediction_id=prediction_id)):
                return record
        return None

    async def prune(self, before: str, *, now: str, key: Ed25519PrivateKey) -> int:
        """Delete the records older than `before` (UTC text) and return how many.

        Only a beginning of the chain goes: up to the first record that is not older. Its end is
        signed as the new base, so that what remains still verifies.
        """
        async with self._database.writing() as connection:
            link = await _end_before(connection, before)
            if link is None:
                return 0
            base = sign_position("base", link, now, key)
            await connection.execute(
                insert(AUDIT_BASES),
                {"seq": base.seq, "hash": base.hash, "time": now, "signature": base.signature},
            )
            result = await connection.execute(
                delete(AUDIT_RECORDS).where(AUDIT_RECORDS.c.seq <= link.seq)
            )
            return result.rowcount


async def _end_before(connection: AsyncConnection, before: str) -> Link | None:
    """Return the last record of the beginning that is older than a time."""
    seq, time = AUDIT_RECORDS.c.seq, AUDIT_RECORDS.c.time
    kept = await connection.scalar(select(func.min(seq)).where(time >= before))
    last = select(seq, AUDIT_RECORDS.c.hash).order_by(seq.desc()).limit(1)
    if kept is not None:
        last = last.where(seq < kept)
    row = (await connection.execute(last)).one_or_none()
    return None if row is None else Link(row.seq, row.hash)


async def _base(connection: AsyncConnection) -> Position | None:
    """Return where retention last cut the chain."""
    statement = select(AUDIT_BASES).order_by(AUDIT_BASES.c.seq.desc()).limit(1)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Position("base", row.seq, row.hash, row.time, row.signature)


async def _head(connection: AsyncConnection) -> Position | None:
    """Return the signed head row."""
    row = (await connection.execute(select(AUDIT_HEAD))).one_or_none()
    return None if row is None else Position("head", row.seq, row.hash, row.time, row.signature)


async def _records(connection: AsyncConnection, query: Query) -> AsyncIterator[ChainRecord]:
    """Yield matching records page by page, so that memory stays flat."""
    columns = AUDIT_RECORDS.c
    wanted = [
        compare(column, value)
        for column, compare, value in (
            (columns.time, operator.ge, query.since),
            (columns.time, operator.lt, query.until),
            (columns.caller, operator.eq, query.caller),
            (columns.request_id, operator.eq, query.request_id),
            (columns.prediction_id, operator.eq, query.prediction_id),
        )
        if value is not None
    ]
    statement = select(AUDIT_RECORDS).where(*wanted).order_by(columns.seq).limit(RECORDS_PER_READ)
    after: int | None = None
    while True:
        page = statement if after is None else statement.where(columns.seq > after)
        rows = (await connection.execute(page)).all()
        for row in rows:
            yield ChainRecord(**row._mapping)
        if len(rows) < RECORDS_PER_READ:
            return
        after = rows[-1].seq
