"""Which answers are compressed: the page, its files and its two lists, which are the same for all.

An answer that may hold what somebody sent is never compressed, so that its length tells nothing
(BREACH), and costs no time. What may be compressed is always sent whole: bytes of the one form put
behind bytes of the other would be no file at all.
"""

from __future__ import annotations

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

PATHS = frozenset({"/", "/ui", "/v1/modalities", "/v1/symptoms", "/openapi.json"})
FOLDER = "/static/"
#: Below this many bytes the headers outweigh what is saved.
MINIMUM_BYTES = 600
LEVEL = 6


class CompressionMiddleware:
    """Compresses what is public for a client that accepts gzip."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap `app`."""
        self._plain = app
        self._packed = GZipMiddleware(app, minimum_size=MINIMUM_BYTES, compresslevel=LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by method and path."""
        is_public = (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and (scope["path"] in PATHS or scope["path"].startswith(FOLDER))
        )
        if is_public:
            scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"range"]
        await (self._packed if is_public else self._plain)(scope, receive, send)
