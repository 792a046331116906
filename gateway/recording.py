"""No record, no result: the record of a request is stored before the first byte of its answer.

One place for every route and every end: answers, refusals of any layer, unforeseen errors and
callers who left.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import AuditUnavailable, ServiceError
from gateway.exchange import Exchange, Recorder
from serving.logs import method_of
from serving.problems import problem_response
from serving.scope import facts_of, note, request_id_of, route_template_of, state_of

CLIENT_GONE = 499
_KEY = "exchange"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def exchange_of(request: Request) -> Exchange:
    """Return the exchange of this request; it exists on every recorded route."""
    exchange: Exchange = state_of(request.scope)[_KEY]
    return exchange


def exchange_in(scope: Scope) -> Exchange | None:
    """Return the exchange of a request on any route; None where nothing is recorded."""
    exchange: Exchange | None = state_of(scope).get(_KEY)
    return exchange


def is_recorded(scope: Scope) -> bool:
    """True for everything that changes or analyses, and for reading about a single prediction."""
    return scope["method"] not in _READING or scope["path"].startswith("/v1/predictions/")


class RecordingMiddleware:
    """Pure ASGI: makes the exchange, and hands it to the recorder when the status is known."""

    def __init__(
        self,
        app: ASGIApp,
        recorder: Callable[[], Recorder],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`recorder` is asked for at each request, as it is opened after this is built."""
        self._app = app
        self._recorder = recorder
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; record once, whatever the end is."""
        if scope["type"] != "http" or not is_recorded(scope):
            await self._app(scope, receive, send)
            return
        recording = _Recording(scope, self._recorder(), self._clock)
        try:
            await self._app(scope, receive, recording.wrap(receive, send))
        except ClientDisconnect:
            await recording.record(CLIENT_GONE, "client_gone")
            raise
        except ServiceError as error:
            await recording.record(error.status, error.code)
            raise
        except Exception:
            await recording.record(500, "internal_error")
            raise
        except asyncio.CancelledError:
            # The server cuts what still runs at the end of a stop.
            with contextlib.suppress(AuditUnavailable):
                await recording.record(CLIENT_GONE, "cancelled")
            raise


class _Recording:
    """The record of one request in the making."""

    def __init__(self, scope: Scope, recorder: Recorder, clock: Callable[[], float]) -> None:
        self._scope = scope
        self._recorder = recorder
        self._clock = clock
        self._started = clock()
        self._recorded = self._refused = False
        self.exchange = Exchange(request_id=request_id_of(scope), method=method_of(scope))
        state_of(scope)[_KEY] = self.exchange

    async def record(self, status: int, code: str | None) -> None:
        """Hand the exchange over, once."""
        if self._recorded:
            return
        self._recorded = True
        self.exchange.route = route_template_of(self._scope)
        self.exchange.status, self.exchange.code = status, code
        self.exchange.duration_ms = round((self._clock() - self._started) * 1000, 3)
        await self._recorder.record(self.exchange)

    def wrap(self, receive: Receive, send: Send) -> Send:
        """Return a `send` that records first, and sends a 503 instead when that fails."""

        async def recorded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                code = facts_of(self._scope).get("code")
                try:
                    await self.record(message["status"], None if code is None else str(code))
                except AuditUnavailable as error:
                    self._refused = True
                    note(self._scope, code=error.code)
                    refusal = problem_response(error, self.exchange.request_id)
                    await refusal(self._scope, receive, send)
            if not self._refused:
                await send(message)

        return recorded_send
