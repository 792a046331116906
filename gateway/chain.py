"""The audit hash chain: how a record is hashed, how a position is signed, how both are checked.

    hash(n) = SHA-256(canonical JSON of {seq, previous_hash, entry})      hash(0) = 64 zeros

Pure functions on values; reading and writing the store happens in `audit` and `archive`. What a
chain alone cannot show, a rewritten or cut-off tail, is shown by signed positions (`Position`):
the head row in the same transaction as the records, and anchors kept in a file outside the
database. Undetectable remains: records newer than the last anchor, removed together with a
restored older head row; an older copy of database *and* anchor file; and whoever holds the
signing key.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from contracts.receipts import canonical_json

GENESIS = "0" * 64
DOMAIN = b"mediflow audit position 1\n"

PositionKind = Literal["head", "anchor", "base"]


@dataclass(frozen=True, slots=True)
class ChainRecord:
    """One link as stored: `body` is the canonical JSON that was hashed.

    `time`, `request_id`, `prediction_id` and `caller` repeat members of the body for searching.
    """

    seq: int
    previous_hash: str
    hash: str
    time: str
    request_id: str
    prediction_id: str | None
    caller: str
    body: str

    def columns(self) -> dict[str, object]:
        """Return the row of the table."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Position:
    """A signed statement: at `time`, record `seq` of the chain had this hash."""

    kind: PositionKind
    seq: int
    hash: str
    time: str
    signature: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the chain, and at which sequence number."""

    seq: int
    code: str


@dataclass(frozen=True, slots=True)
class Link:
    """The end of a chain, to which the next record is tied."""

    seq: int = 0
    hash: str = GENESIS


def next_record(
    link: Link, entry: Mapping[str, object], canonical: bytes | None = None
) -> ChainRecord:
    """Tie an entry (plain JSON values) to the end of a chain; `canonical` is its canonical JSON."""
    seq = link.seq + 1
    # The canonical JSON of {"entry": …, "previous_hash": …, "seq": …}, without writing the entry
    # out a second time.
    body = b'{"entry":%b,"previous_hash":%b,"seq":%d}' % (
        canonical_json(entry) if canonical is None else canonical,
        canonical_json(link.hash),
        seq,
    )
    prediction_id = entry.get("prediction_id")
    return ChainRecord(
        seq=seq,
        previous_hash=link.hash,
        hash=hashlib.sha256(body).hexdigest(),
        time=str(entry["time"]),
        request_id=str(entry["request_id"]),
        prediction_id=None if prediction_id is None else str(prediction_id),
        caller=str(entry["caller"]),
        body=body.decode(),
    )


def sign_position(kind: PositionKind, link: Link, time: str, key: Ed25519PrivateKey) -> Position:
    """State and sign where the chain stands."""
    unsigned = Position(kind, link.seq, link.hash, time, "")
    return Position(
        kind, link.seq, link.hash, time, base64.b64encode(key.sign(_signed(unsigned))).decode()
    )


def position_holds(position: Position, keys: Sequence[Ed25519PublicKey]) -> bool:
    """True when one of the keys signed exactly this position."""
    try:
        signature = base64.b64decode(position.signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    return any(_verifies(key, signature, _signed(position)) for key in keys)


class ChainVerifier:
    """Reads records in order of their sequence number and collects what is wrong."""

    def __init__(
        self,
        keys: Sequence[Ed25519PublicKey],
        *,
        base: Position | None,
        anchors: Iterable[Position],
    ) -> None:
        """`base` is where retention cut the chain; `anchors` are all signed ones from the file."""
        self._keys = keys
        self.faults: list[Fault] = []
        self._anchors: dict[int, set[str]] = {}
        for anchor in anchors:
            if anchor.kind != "anchor" or not position_holds(anchor, keys):
                self._report(anchor.seq, "anchor_signature")
            self._anchors.setdefault(anchor.seq, set()).add(anchor.hash)
        self.link = Link()
        if base is not None:
            if base.kind != "base" or not position_holds(base, keys):
                self._report(base.seq, "base_signature")
            self.link = Link(base.seq, base.hash)
        self._check_anchor(self.link)
        self.records = 0

    def feed(self, record: ChainRecord) -> None:
        """Check one record against the one before it."""
        if record.seq != self.link.seq + 1:
            self._report(record.seq, "gap" if record.seq > self.link.seq else "order")
        if record.previous_hash != self.link.hash:
            self._report(record.seq, "previous_hash")
        if hashlib.sha256(record.body.encode("utf-8", "surrogatepass")).hexdigest() != record.hash:
            self._report(record.seq, "hash")
        if not _columns_agree(record):
            self._report(record.seq, "columns")
        self.link = Link(record.seq, record.hash)
        self._check_anchor(self.link)
        self.records += 1

    def finish(self, head: Position | None) -> tuple[Fault, ...]:
        """Compare the end with the signed head and the anchors; return every fault found."""
        end = self.link
        if head is None:
            self._report(end.seq, "head_missing")
        elif (head.seq, head.hash) != (end.seq, end.hash):
            self._report(end.seq, "truncated" if head.seq > end.seq else "head")
        elif end != Link() and (head.kind != "head" or not position_holds(head, self._keys)):
            self._report(end.seq, "head_signature")
        if any(seq > end.seq for seq in self._anchors):
            self._report(end.seq, "truncated")
        return tuple(self.faults)

    def _check_anchor(self, link: Link) -> None:
        """An anchored record must still have the hash that was signed."""
        if self._anchors.get(link.seq, {link.hash}) != {link.hash}:
            self._report(link.seq, "anchor")

    def _report(self, seq: int, code: str) -> None:
        """Keep a fault once."""
        fault = Fault(seq, code)
        if fault not in self.faults:
            self.faults.append(fault)


def _columns_agree(record: ChainRecord) -> bool:
    """True when the searchable columns say what the hashed body says."""
    try:
        body = json.loads(record.body)
        return next_record(Link(record.seq - 1, record.previous_hash), body["entry"]) == record
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def _signed(position: Position) -> bytes:
    """The bytes under a position's signature."""
    return DOMAIN + canonical_json([position.kind, position.seq, position.hash, position.time])


def _verifies(key: Ed25519PublicKey, signature: bytes, payload: bytes) -> bool:
    """True when the key made this signature."""
    try:
        key.verify(signature, payload)
    except InvalidSignature:
        return False
    return True
