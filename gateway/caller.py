"""Caller: who asks, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

LOCAL = "local"


class Scope(StrEnum):
    """What an API key may be allowed."""

    PREDICT = "predict"
    EXPLAIN = "explain"
    REPORT = "report"
    FEEDBACK = "feedback"
    RECEIPTS = "receipts"
    METRICS = "metrics"


ALL_SCOPES = frozenset(Scope)
#: What a key is allowed when nothing is said: everything a clinical client needs.
USUAL_SCOPES = ALL_SCOPES - {Scope.METRICS}


@dataclass(frozen=True, slots=True)
class Caller:
    """The key that asked, or `local` where the gateway is open on loopback."""

    id: str
    scopes: frozenset[Scope] = ALL_SCOPES
    requests_per_minute: int | None = None
    """The key's own limit; None stands for the gateway's."""


LOCAL_CALLER = Caller(LOCAL)
