"""The wall clock and the one text form of a time in this database."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Return the one text form of a time in this database; it sorts as it reads."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def utc_now() -> datetime:
    """The wall clock. Order in the audit comes from the sequence number, never from this."""
    return datetime.now(UTC)
