"""Internal bearer token: services answer their gateway, not whoever finds the port."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import Unauthorized

#: Paths that a prober or scraper may read without the token.
OPEN_PATHS = frozenset({"/livez", "/readyz", "/metrics"})


class InternalTokenMiddleware:
    """Deny by default: every path but the open ones needs `Authorization: Bearer <token>`."""

    def __init__(self, app: ASGIApp, token: str, open_paths: frozenset[str] = OPEN_PATHS) -> None:
        """`token` is compared in constant time with the one sent."""
        self._app = app
        self._expected = b"Bearer " + token.encode()
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or raise Unauthorized, before a byte of the body is read."""
        if scope["type"] == "http" and scope["path"] not in self._open_paths:
            sent = Headers(scope=scope).getlist("authorization")
            given = sent[0].encode("latin-1") if len(sent) == 1 else b""
            if not hmac.compare_digest(given, self._expected):
                raise Unauthorized("This service answers its gateway only.")
        await self._app(scope, receive, send)
