"""The signed end of the audit chain in the database: read it, or move it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from gateway.chain import Link, Position
from gateway.tables import AUDIT_HEAD

# Written once: a statement that is built for each transaction costs more than it takes to run.
_LOCK = select(AUDIT_HEAD.c.seq, AUDIT_HEAD.c.hash).with_for_update()
_MOVE = (
    update(AUDIT_HEAD)
    .where(AUDIT_HEAD.c.seq == bindparam("old_seq"), AUDIT_HEAD.c.hash == bindparam("old_hash"))
    .values({name: bindparam(f"new_{name}") for name in ("seq", "hash", "time", "signature")})
)


def lock_head(connection: Connection) -> Link:
    """Return the end of the chain and keep every other writer out until the commit."""
    row = connection.execute(_LOCK).one()
    return Link(row.seq, row.hash)


def move_head(old: Link, new: Position, connection: Connection) -> bool:
    """Put the new end in the place of the old one; False when that is not the end any more.

    True keeps every other writer out until the commit.
    """
    moved = connection.execute(
        _MOVE,
        {
            "old_seq": old.seq,
            "old_hash": old.hash,
            "new_seq": new.seq,
            "new_hash": new.hash,
            "new_time": new.time,
            "new_signature": new.signature,
        },
    )
    return moved.rowcount == 1
