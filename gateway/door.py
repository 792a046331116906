"""Refuse at the door what a lane would refuse anyway, for a fraction of what it costs inside.

The answer, the record, the log line and the counters are those of the long way through the
middleware. Whatever is not plainly a refused analysis of a caller who may know goes the long way:
another host name, a wrong key or one that is not at hand, a browser's request from another origin,
a traced request. What is refused here costs the caller nothing of the quota.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import Any

from contracts.errors import AuditUnavailable, ServiceError, Unauthorized
from gateway.admission import scope_for
from gateway.auth import presented_key
from gateway.caller import Caller
from gateway.dependencies import Parts
from gateway.exchange import Exchange
from gateway.hosts import is_ours, names_of
from gateway.shedding import ANALYSIS, template_of
from gateway.store import to_entry
from serving.door import Head, Refusal
from serving.logs import log_request
from serving.metrics import RequestMetrics
from serving.request_id import kept_or_new

#: Headers that ask for more than a plain answer.
_LONG_WAY = frozenset({b"origin", b"traceparent"})


class GatewayDoor:
    """Looks at breaker and queue of the modality that the head names."""

    def __init__(
        self,
        parts: Callable[[], Parts],
        metrics: RequestMetrics,
        hosts: Collection[str] = (),
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`parts` is asked for at each request; `hosts` are the trusted names, if configured."""
        self._parts = parts
        self._metrics = metrics
        self._names = names_of(hosts) if hosts else None
        self._clock = clock

    def look(self, head: Head) -> Refusal | None:
        """Return the refusal of an analysis whose lane is full or closed."""
        if head.method != b"POST" or not head.target.isascii():
            return None
        path = head.target.partition(b"?")[0].decode("ascii")
        match = ANALYSIS.fullmatch(path)
        if match is None or any(name in _LONG_WAY for name, _ in head.headers):
            return None
        parts, modality = self._parts(), match["modality"]
        if modality not in parts.lanes or not self._is_for_us(head):
            return None
        caller = _caller(head, parts, path)
        if caller is None:
            return None
        started = self._clock()
        try:
            parts.analysis.announce(modality)
        except ServiceError as error:
            return self._refuse(head, error, template_of(match), modality, caller, started)
        return None

    def _is_for_us(self, head: Head) -> bool:
        return self._names is None or is_ours(head.texts(b"host"), self._names)

    def _refuse(
        self,
        head: Head,
        error: ServiceError,
        route: str,
        modality: str,
        caller: Caller,
        started: float,
    ) -> Refusal | None:
        """Hand in the record; log and count when it is written, or was not to be written."""
        request_id = kept_or_new(head.texts(b"x-request-id"))
        exchange = Exchange(request_id, "POST", route, caller.id, modality)
        exchange.status, exchange.code = error.status, error.code
        try:
            recorded = self._parts().store.audit.append(to_entry(exchange))
        except AuditUnavailable:
            return None
        refusal = Refusal(error, request_id, recorded)
        self._metrics.begin()
        recorded.add_done_callback(partial(self._ended, refusal, route, modality, started))
        return refusal

    def _ended(
        self,
        refusal: Refusal,
        route: str,
        modality: str,
        started: float,
        _recorded: asyncio.Future[Any],
    ) -> None:
        """Write the log line and count."""
        answer, seconds = refusal.answer, self._clock() - started
        self._metrics.finish(method="POST", route=route, status=answer.status, seconds=seconds)
        facts = {"modality": modality, "code": answer.code}
        log_request(refusal.request_id, "POST", route, answer.status, seconds, facts)


def _caller(head: Head, parts: Parts, path: str) -> Caller | None:
    """Return who asks, if the keys at hand tell and the key allows it."""
    try:
        presented = presented_key(head.texts(b"authorization"), head.texts(b"x-api-key"))
    except Unauthorized:
        return None
    caller = parts.store.authenticator.at_hand(presented)
    return caller if caller is not None and scope_for(path) in caller.scopes else None
