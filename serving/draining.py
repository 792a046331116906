"""While a process drains, every answer says so and closes its connection.

A caller that keeps connections would otherwise send its next request on one that is just being
closed, and nobody could tell whether that request was begun. One that knows of the draining asks
elsewhere, or later.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.health import HealthState, Phase

#: On every answer of a process that drains; `/readyz` has the reason in its body, too.
DRAINING_HEADER = "X-Draining"


class DrainingMiddleware:
    """Pure ASGI: says `X-Draining` and `Connection: close` from the stop signal on."""

    def __init__(self, app: ASGIApp, health: HealthState) -> None:
        """`health` says whether the process drains."""
        self._app = app
        self._health = health

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; look at the phase when the answer begins."""

        async def send_and_close(message: Message) -> None:
            if message["type"] == "http.response.start" and self._health.phase is Phase.DRAINING:
                headers = MutableHeaders(scope=message)
                headers[DRAINING_HEADER] = "true"
                headers["Connection"] = "close"
            await send(message)

        await self._app(scope, receive, send_and_close)
