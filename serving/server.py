"""Run an app on uvicorn: uvloop, httptools, time-outs for slow heads, drain, exit codes."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import FrameType

import uvicorn
import uvicorn.config
from starlette.types import ASGIApp

from serving.door import Door
from serving.health import HealthState, Phase
from serving.protocol import RefusingProtocol
from serving.watchdog import STUCK_SECONDS, Watchdog

EXIT_PORT_TAKEN = 98
_log = logging.getLogger("serving.server")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How a server runs, beside its address."""

    drain_seconds: float = 0.5
    """From the stop signal until the port closes: not ready, but still answering."""
    shutdown_seconds: float = 20.0
    """From then until running requests are cut off."""
    keep_alive_seconds: int = 15
    """How long an idle connection is kept after an answer."""
    backlog: int = 512
    """Connections that the kernel keeps waiting."""
    stuck_seconds: float = STUCK_SECONDS
    """How long the event loop may stand still before the process is ended."""


def run(
    app: ASGIApp,
    host: str,
    port: int,
    health: HealthState,
    *,
    options: ServerOptions | None = None,
    door: Door | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code: 0 after an orderly stop.

    At the first signal `health` says draining; a second one stops at once. When `health` says
    that the process must not serve, it stops with the code given there. A taken port is one
    clear line and code 98, a failed start of the app code 3. Configure logging before.
    """
    options = options or ServerOptions()
    try:
        listener = _listen(host, port, options.backlog)
    except OSError as error:
        print(_explain(error, host, port), file=sys.stderr)  # noqa: T201 - before any logging
        return EXIT_PORT_TAKEN
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=partial(RefusingProtocol, door=door),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=options.keep_alive_seconds,
        timeout_graceful_shutdown=max(1, round(options.shutdown_seconds)),
        backlog=options.backlog,
    )
    watchdog = Watchdog(options.stuck_seconds)
    server = DrainingServer(config, health, watchdog, options.drain_seconds)
    try:
        server.run(sockets=[listener])
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 1
    finally:
        watchdog.stop()
        listener.close()
    if not server.started:
        return uvicorn.config.STARTUP_FAILURE
    return health.exit_code or 0


class DrainingServer(uvicorn.Server):
    """Says not ready first, closes the port a moment later, and exits with 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        health: HealthState,
        watchdog: Watchdog,
        drain_seconds: float,
    ) -> None:
        """`drain_seconds` pass between the signal and the closing of the port."""
        super().__init__(config)
        self._health = health
        self._watchdog = watchdog
        self._drain_seconds = drain_seconds
        self._signalled = False
        self._stop_at: float | None = None
        self._is_settled = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Remember the first signal; the second one stops at once."""
        if self._signalled or not self.started:
            self.should_exit = True
            self.force_exit = self._signalled and sig == signal.SIGINT
        self._signalled = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: begin to drain, or end draining."""
        now = asyncio.get_running_loop().time()
        self._watchdog.feed(now)
        if not self._is_settled and self._health.phase is Phase.READY:
            self._is_settled = True
            _settle()
        if self._signalled and self._stop_at is None:
            self._health.mark_draining()
            self._stop_at = now + self._drain_seconds
            _log.info("draining")
        drained = self._stop_at is not None and now >= self._stop_at
        if drained or self._health.exit_code is not None:
            self.should_exit = True
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close the port, serve who had come before, and finish what runs.

        Closing a port resets the connections that wait at it, requests and all.
        """
        self._watchdog.stop()  # from here on, whoever stops the process has a limit of their own
        waiting = [connection for port in sockets or [] for connection in _accept_all(port)]
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        for connection in waiting:
            await loop.connect_accepted_socket(self._protocol, connection)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        """What speaks on one connection."""
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def _settle() -> None:
    """Take what start-up made out of the garbage collector's sight: it stays to the end.

    Else each full collection looks at all of it again, and requests wait a tenth of a second.
    """
    gc.collect()
    gc.freeze()


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    """Bind before the app starts, so that a taken port costs no model load."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _accept_all(listener: socket.socket) -> Iterator[socket.socket]:
    """Yield the connections that wait at a port."""
    with suppress(OSError):  # nobody waits any more
        while True:
            connection, _ = listener.accept()
            connection.setblocking(False)
            yield connection


def _explain(error: OSError, host: str, port: int) -> str:
    """One line that says what is wrong and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken. Stop what uses it or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} may not be opened by this user. Choose one above 1023."
    return f"Cannot listen on {host}, port {port}: check the address."
