"""Refuse cheaply: a request that its lane would refuse anyway goes no further than here.

Lies behind admission, so that only who may ask learns of the load, and before routing, parameters
and body, which cost several times what the refusal does. The route asks its lane again.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import ServiceError
from gateway.dependencies import Parts
from gateway.recording import exchange_in
from serving.problems import problem_response
from serving.scope import name_route, note, request_id_of

#: What is asked of a modality's service with an input.
ANALYSIS = re.compile(
    r"/v1/(?P<modality>[a-z-]+)/(?P<what>predictions|explanations|renderings|reports)"
)


class SheddingMiddleware:
    """Pure ASGI: answers 503 where breaker or queue of the modality say so."""

    def __init__(self, app: ASGIApp, parts: Callable[[], Parts]) -> None:
        """`parts` is asked for at each request, as they are opened after this is built."""
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or refuse."""
        try:
            if scope["type"] == "http" and scope["method"] == "POST":
                self._check(scope)
        except ServiceError as error:
            note(scope, code=error.code)
            await problem_response(error, request_id_of(scope))(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        """Raise ModalityUnavailable or Overloaded, noted as the route would have noted it."""
        match = ANALYSIS.fullmatch(scope["path"])
        if match is None:
            return
        parts, name = self._parts(), match["modality"]
        modality = next((one for one in parts.modalities if one.id == name), None)
        if modality is None:
            return
        try:
            parts.analysis.check(modality)
        except ServiceError:
            note(scope, modality=modality.id)
            name_route(scope, template_of(match))
            if (exchange := exchange_in(scope)) is not None:
                exchange.modality = modality.id
            raise


def template_of(match: re.Match[str]) -> str:
    """Return the template of the route that was asked for."""
    return f"/v1/{{modality}}/{match['what']}"
