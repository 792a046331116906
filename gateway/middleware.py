"""What every request passes on its way to a route, and every answer on its way back."""

from __future__ import annotations

from collections.abc import Callable

from fastapi.middleware.cors import CORSMiddleware
from starlette.middleware import Middleware

from gateway.addresses import networks_of
from gateway.admission import AdmissionMiddleware
from gateway.compression import CompressionMiddleware
from gateway.dependencies import Parts
from gateway.hosts import TrustedHostMiddleware
from gateway.recording import RecordingMiddleware
from gateway.settings import GatewaySettings
from gateway.shedding import SheddingMiddleware
from gateway.store import Store

#: Headers of an answer that a browser's script may read.
EXPOSED_HEADERS = [
    "X-Request-ID",
    "Retry-After",
    "Server-Timing",
    "Content-Disposition",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
]


def our_middleware(
    settings: GatewaySettings, store: Callable[[], Store], parts: Callable[[], Parts]
) -> list[Middleware]:
    """Return our own middleware, outermost first; the shell's lie around these."""
    stack = [Middleware(RecordingMiddleware, recorder=store)]
    if settings.trusted_hosts:
        stack.append(Middleware(TrustedHostMiddleware, hosts=settings.trusted_hosts))
    if settings.cors_origins:
        stack.append(
            Middleware(
                CORSMiddleware,
                allow_origins=settings.cors_origins,
                allow_credentials=settings.cors_credentials,
                allow_methods=["GET", "POST"],
                allow_headers=["*"],
                expose_headers=EXPOSED_HEADERS,
            )
        )
    stack.append(
        Middleware(
            AdmissionMiddleware,
            gate=lambda: (store().authenticator, store().quotas),
            trusted_proxies=networks_of(settings.trusted_proxies),
        )
    )
    stack += [Middleware(SheddingMiddleware, parts=parts), Middleware(CompressionMiddleware)]
    return stack
