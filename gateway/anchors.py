"""Signed positions of the audit chain, kept in a file outside the database.

Whoever can change the database cannot make the chain shorter than its last anchor without changing
this file too, and cannot forge a line. Append-only JSON lines; copy it elsewhere from time to
time: each copy is a witness.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from gateway.chain import Position

ANCHOR_FILE = "audit-anchors.jsonl"


class BadAnchorFile(Exception):
    """A line of the anchor file is no position."""


class AnchorFile:
    """Appends positions durably and reads them back. Blocking: call it in a thread."""

    def __init__(self, path: Path) -> None:
        """The file is made by the first `append`."""
        self.path = path

    def append(self, position: Position) -> None:
        """Write one line and wait until it is on the disk; raise OSError otherwise."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps(asdict(position), sort_keys=True) + "\n"
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())

    def read(self) -> list[Position]:
        """Return every anchor; an absent file has none. Raise BadAnchorFile for a damaged line."""
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise BadAnchorFile("the anchor file cannot be read") from error
        return [_parse(number, line) for number, line in enumerate(lines, start=1)]


def _parse(number: int, line: str) -> Position:
    """Read one line."""
    try:
        plain = json.loads(line)
        position = Position(**plain)
        if not isinstance(position.seq, int):
            raise TypeError("seq is no integer")
        return position
    except (ValueError, TypeError) as error:
        raise BadAnchorFile(f"line {number} of the anchor file is damaged") from error
