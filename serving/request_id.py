"""Give each request an id: a well-formed `X-Request-ID` is kept, anything else is replaced."""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.scope import state_of

HEADER = "X-Request-ID"
_WELL_FORMED = re.compile(r"[A-Za-z0-9-]{1,64}")


def new_request_id() -> str:
    """Return a fresh random id."""
    return str(uuid.uuid4())


def kept_or_new(received: list[str]) -> str:
    """Return the one well-formed id that was sent, else a fresh one."""
    keep = len(received) == 1 and _WELL_FORMED.fullmatch(received[0]) is not None
    return received[0] if keep else new_request_id()


class RequestIdMiddleware:
    """Pure ASGI: puts the id into the scope's state and on the answer."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is called for every request."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on with an id; other scopes than HTTP go through untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = kept_or_new(Headers(scope=scope).getlist(HEADER))
        state_of(scope)["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        await self._app(scope, receive, send_with_id)
