"""What all answers of the earlier routes have in common, whichever layer gave them.

Headers that name the successor; and on the routes whose clients look for `success`, problems that
say `success: false` and repeat their title as `error`.
"""

from __future__ import annotations

import json

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.compat.successors import FLAGGED, SUCCESSORS, deprecation_headers
from serving.problems import MEDIA_TYPE


class DialectMiddleware:
    """Pure ASGI; lies outside of everything that can answer."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is everything inside."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on; complete the answer on its way out."""
        if scope["type"] != "http" or scope["path"] not in SUCCESSORS:
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Completion(scope["path"], send))


class _Completion:
    """A `send` that adds the headers, and holds a problem back until its body is whole."""

    def __init__(self, path: str, send: Send) -> None:
        self._headers = deprecation_headers(path)
        self._flagged = path in FLAGGED
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take one message of the answer."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(self._headers)
            if self._flagged and headers.get("content-type") == MEDIA_TYPE:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_problem(self._start)
            return
        await self._send(message)

    async def _send_problem(self, start: Message) -> None:
        """Send the problem with the two members that these clients read."""
        problem = json.loads(self._body)
        problem |= {"success": False, "error": problem["title"]}
        body = json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()
        MutableHeaders(scope=start)["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
