"""Admission: who asks, whether they may, and how often, before the first byte of the body.

Closed by default: what is not named in `PUBLIC` needs a key, on any route that exists or not.
Decided on the method and the raw path of the request, never on the host name.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from contracts.errors import ServiceError, Unauthorized
from gateway.addresses import Network, client_of
from gateway.auth import Authenticator, presented_key, require
from gateway.caller import LOCAL, Caller
from gateway.caller import Scope as KeyScope
from gateway.quotas import Allowance, QuotaExceeded, Quotas
from gateway.recording import exchange_in
from serving.problems import problem_response
from serving.scope import note, request_id_of

#: What anybody may read: probes, the page, the documentation, and what the models are.
PUBLIC = frozenset(
    {
        "/",
        "/ui",
        "/favicon.ico",
        "/livez",
        "/readyz",
        "/health",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/v1/modalities",
        "/v1/models",
        "/v1/symptoms",
        "/v1/receipts/key",
    }
)
PUBLIC_PREFIXES = ("/static/", "/v1/models/", "/ui/", "/docs/")
#: The scope by the last part of the path; everything else needs `predict`.
SCOPES = {
    "explanations": KeyScope.EXPLAIN,
    "renderings": KeyScope.EXPLAIN,
    "reports": KeyScope.REPORT,
    "feedback": KeyScope.FEEDBACK,
    "receipt": KeyScope.RECEIPTS,
    "metrics": KeyScope.METRICS,
}


class AdmissionMiddleware:
    """Pure ASGI: lets a request in as a `Caller`, or answers 401, 403, 429 or 503."""

    def __init__(
        self,
        app: ASGIApp,
        gate: Callable[[], tuple[Authenticator, Quotas]],
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        """`gate` is asked for at each request, as it is opened after this is built."""
        self._app = app
        self._gate = gate
        self._trusted_proxies = tuple(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a caller on with what is left of their quota, or refuse."""
        if scope["type"] != "http" or is_public(scope["method"], scope["path"]):
            await self._app(scope, receive, send)
            return
        try:
            allowance = await self._admit(scope)
        except ServiceError as error:
            note(scope, code=error.code)
            refusal = problem_response(error, request_id_of(scope), headers=_headers_of(error))
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, _with_allowance(send, allowance))

    async def _admit(self, scope: Scope) -> Allowance | None:
        """Name the caller, check the scope, count the request."""
        authenticator, quotas = self._gate()
        headers = Headers(scope=scope)
        address = client_of(
            (scope.get("client") or (None,))[0],
            headers.getlist("x-forwarded-for"),
            self._trusted_proxies,
        )
        try:
            presented = presented_key(
                headers.getlist("authorization"), headers.getlist("x-api-key")
            )
            caller = await authenticator.identify(presented)
        except Unauthorized:
            await quotas.spend(f"refused {address}")
            raise
        if (exchange := exchange_in(scope)) is not None:
            exchange.caller = caller.id
        allowance = await quotas.spend(_counted(caller, address), caller.requests_per_minute)
        require(caller, scope_for(scope["path"]))
        return allowance


def is_public(method: str, path: str) -> bool:
    """True for reading what anybody may read."""
    if method not in ("GET", "HEAD"):
        return False
    return path in PUBLIC or path.startswith(PUBLIC_PREFIXES)


def scope_for(path: str) -> KeyScope:
    """Return what a key must allow for this path."""
    return SCOPES.get(path.rpartition("/")[2], KeyScope.PREDICT)


def _counted(caller: Caller, address: str) -> str:
    """Requests are counted per key, and per address where the gateway is open."""
    return f"address {address}" if caller.id == LOCAL else f"key {caller.id}"


def _headers_of(error: ServiceError) -> dict[str, str]:
    """What a refusal says in its headers."""
    if isinstance(error, QuotaExceeded):
        return error.allowance.headers()
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def _with_allowance(send: Send, allowance: Allowance | None) -> Send:
    """Return a `send` that adds the `RateLimit-*` headers."""
    if allowance is None:
        return send

    async def send_with_headers(message: MutableMapping[str, object] | Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(allowance.headers())
        await send(message)

    return send_with_headers
