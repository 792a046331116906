"""Answer only for our own host names, where they are configured."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.errors import BadRequest


class TrustedHostMiddleware:
    """Pure ASGI: 400 for any other `Host`. Probes by address are answered on loopback names."""

    def __init__(self, app: ASGIApp, hosts: Collection[str]) -> None:
        """`hosts` are names without a port; the probes' `localhost` and loopback always pass."""
        self._app = app
        self._hosts = names_of(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or raise BadRequest without repeating the name."""
        if scope["type"] == "http" and not is_ours(
            Headers(scope=scope).getlist("host"), self._hosts
        ):
            raise BadRequest("This host name is not served here.", code="unknown_host")
        await self._app(scope, receive, send)


def names_of(hosts: Collection[str]) -> frozenset[str]:
    """Return the names that are answered: these, and those that probes use."""
    return frozenset(host.lower() for host in hosts) | {"localhost", "127.0.0.1", "[::1]"}


def is_ours(sent: Sequence[str], names: Collection[str]) -> bool:
    """True for one `Host` header with one of the names, whatever its port."""
    if len(sent) != 1:
        return False
    name, colon, port = sent[0].rpartition(":")
    return (name if colon and port.isdigit() else sent[0]).lower() in names
