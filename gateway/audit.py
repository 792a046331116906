"""The audit: one appended record for each request, and no result without its record.

Requests hand in an `AuditEntry` and wait until it is committed. One task writes: what came in
while the last commit ran goes into the next one together (group commit), so a slow disk costs each
request one or two commits, not a queue of them. Several gateways on one database take turns at the
head row. Reading, checking and retention live in `archive`, hashing in `chain`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from typing import Self

from sqlalchemy import Connection, Executable, insert

from contracts.errors import AuditUnavailable
from contracts.receipts import canonical_json
from gateway.anchors import AnchorFile
from gateway.chain import ChainRecord, Link, next_record, sign_position
from gateway.chain_head import lock_head, move_head
from gateway.database import STORE_ERRORS, Database
from gateway.entry import AuditEntry
from gateway.keyring import Keyring
from gateway.moment import utc_now, utc_text
from gateway.tables import AUDIT_RECORDS

LOGGER = logging.getLogger(__name__)

MAX_GROUP = 128
ANCHOR_EVERY_RECORDS = 1000
ANCHOR_EVERY_SECONDS = 60.0
PROBE_EVERY_SECONDS = 1.0
_INSERT = insert(AUDIT_RECORDS)


class _Pending:
    """One entry and the request that waits for it; the two never part."""

    __slots__ = ("also", "canonical", "entry", "future", "given_up")

    def __init__(
        self,
        entry: Mapping[str, object],
        also: Sequence[Executable],
        future: asyncio.Future[ChainRecord],
    ) -> None:
        self.entry = entry
        # One that cannot be hashed must not reach the writer, which has others to write.
        self.canonical = canonical_json(entry)
        self.also = also
        self.future = future
        self.given_up = False


class AuditStore(AbstractAsyncContextManager["AuditStore"]):
    """Appends to the chain; open it with `async with` around the whole life of the gateway."""

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        anchors: AnchorFile,
        *,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Owns none of these."""
        self._database = database
        self._keyring = keyring
        self._anchors = anchors
        self._now = now
        self._wait_seconds = database.patience_seconds
        self._queue: deque[_Pending] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None
        self._anchored = Link()
        self._anchored_at = 0.0
        self._link = Link()
        self.available = True
        """False while the last attempt to write failed; readiness tells it."""

    async def __aenter__(self) -> Self:
        """Start the writer."""
        self._writer = asyncio.create_task(self._write_groups(), name="audit writer")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Write what is waiting, set a last anchor, stop."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await self._writer
        await self._anchor(force=True)

    async def record(self, entry: AuditEntry, *, also: Sequence[Executable] = ()) -> ChainRecord:
        """Return when the record is durable; raise AuditUnavailable (503) when it is not.

        The statements of `also` are part of the same transaction: all of it is kept or nothing.
        A caller that is cancelled meanwhile leaves its entry behind: the request did happen.
        """
        pending = self._enqueue(entry, also)
        try:
            async with asyncio.timeout(self._wait_seconds):
                return await asyncio.shield(pending.future)
        except TimeoutError as error:
            pending.given_up = True
            raise _unavailable() from error

    def append(self, entry: AuditEntry) -> asyncio.Future[ChainRecord]:
        """Hand an entry in without a task that waits for it; errors as `record`, in the future."""
        return self._enqueue(entry, ()).future

    def _enqueue(self, entry: AuditEntry, also: Sequence[Executable]) -> _Pending:
        """Put an entry into the next group."""
        if self._closing or self._writer is None:
            raise _unavailable()
        plain = entry.members() | {"time": utc_text(self._now())}
        pending = _Pending(plain, also, asyncio.get_running_loop().create_future())
        pending.future.add_done_callback(_retrieve)
        self._queue.append(pending)
        self._wake.set()
        return pending

    async def probe(self) -> bool:
        """True when the store can be written now; asked every second while it is unavailable."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                await self._database.write(lock_head)
        except STORE_ERRORS:
            self.available = False
        else:
            self.available = True
        return self.available

    async def _write_groups(self) -> None:
        """Write group after group until closed and empty."""
        while True:
            pause = ANCHOR_EVERY_SECONDS if self.available else PROBE_EVERY_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            if not self.available and not self._queue:
                await self.probe()  # nobody asks a gateway that is not ready
            while group := self._take_group():
                await self._write_group(group)
                await self._anchor(force=False)
            await self._anchor(force=False)
            if self._closing and not self._queue:
                return

    def _take_group(self) -> list[_Pending]:
        """Take the waiting entries, oldest first, without those nobody waits for any more."""
        group: list[_Pending] = []
        while self._queue and len(group) < MAX_GROUP:
            pending = self._queue.popleft()
            if not pending.given_up:
                group.append(pending)
        return group

    async def _write_group(self, group: list[_Pending]) -> None:
        """Commit one group and answer each of its requests."""
        try:
            async with asyncio.timeout(self._wait_seconds):
                records = await self._database.write(partial(self._append, group))
        except STORE_ERRORS as error:
            self.available = False
            LOGGER.error("audit store cannot write: %s", type(error).__name__)
            for pending in group:
                if not pending.future.done():
                    pending.future.set_exception(_unavailable())
            return
        self.available = True
        self._link = Link(records[-1].seq, records[-1].hash)
        for pending, record in zip(group, records, strict=True):
            if not pending.future.done():
                pending.future.set_result(record)

    def _append(self, group: list[_Pending], connection: Connection) -> list[ChainRecord]:
        """Append the entries to the chain, in the transaction of this connection."""
        # Nobody else writes, as a rule: then the head is where this process left it.
        link = self._link
        while not self._move_head(link, (records := self._tie(group, link))[-1], connection):
            link = lock_head(connection)
        connection.execute(_INSERT, [record.columns() for record in records])
        for pending in group:
            for statement in pending.also:
                connection.execute(statement)
        return records

    @staticmethod
    def _tie(group: list[_Pending], link: Link) -> list[ChainRecord]:
        """Tie the entries to the end of the chain."""
        records: list[ChainRecord] = []
        for pending in group:
            record = next_record(link, pending.entry, pending.canonical)
            link = Link(record.seq, record.hash)
            records.append(record)
        return records

    def _move_head(self, old: Link, last: ChainRecord, connection: Connection) -> bool:
        """Sign the new end and put it in the old one's place, if that is still there."""
        time, key = utc_text(self._now()), self._keyring.signing_key
        new = sign_position("head", Link(last.seq, last.hash), time, key)
        return move_head(old, new, connection)

    async def _anchor(self, *, force: bool) -> None:
        """Put the position into the anchor file from time to time; never in a request's way."""
        now = asyncio.get_running_loop().time()
        ahead = self._link.seq - self._anchored.seq
        due = ahead >= ANCHOR_EVERY_RECORDS or now - self._anchored_at >= ANCHOR_EVERY_SECONDS
        if ahead == 0 or not (due or force):
            return
        anchor = sign_position(
            "anchor", self._link, utc_text(self._now()), self._keyring.signing_key
        )
        try:
            await asyncio.to_thread(self._anchors.append, anchor)
        except OSError as error:
            LOGGER.error("audit anchor cannot be written: %s", type(error).__name__)
            return
        self._anchored, self._anchored_at = self._link, now


def _unavailable() -> AuditUnavailable:
    """The one refusal of this module."""
    return AuditUnavailable(
        "The audit record cannot be written, so no result is given.", retry_after_seconds=1
    )


def _retrieve(future: asyncio.Future[ChainRecord]) -> None:
    """Mark an exception as seen where the request that waited has gone."""
    if not future.cancelled():
        future.exception()
