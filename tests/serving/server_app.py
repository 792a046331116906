"""An app for tests that need a real server: `python server_app.py PORT [WAY_TO_FAIL]`."""

import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request

from serving.app import Shell, create_shell
from serving.body import Pace, read_body
from serving.disconnect import run_while_connected
from serving.logs import configure_logging
from serving.patience import PatientProtocol
from serving.server import ServerOptions, run


def stand_still(held: Path) -> None:
    """Make a file and return when it is gone: who sees it knows that the loop stands still."""
    held.touch()
    while held.exists():
        time.sleep(0.01)


def add_routes(app: FastAPI) -> None:
    @app.get("/slow")
    async def slow(seconds: float) -> dict[str, bool]:
        await asyncio.sleep(seconds)
        return {"done": True}

    @app.get("/block")
    async def block(held: Path) -> dict[str, bool]:
        stand_still(held)
        return {"done": True}

    @app.get("/settled")
    async def settled() -> dict[str, int]:
        return {"objects": gc.get_freeze_count()}

    @app.post("/read")
    async def read(request: Request) -> dict[str, int]:
        pace = Pace(deadline_seconds=2.0, grace_seconds=0.5)
        return {"bytes": len(await read_body(request, 100_000, pace))}

    @app.post("/watched")
    async def watched(request: Request, seconds: float) -> dict[str, bool]:
        await read_body(request, 100)
        await run_while_connected(request, asyncio.sleep(seconds))
        return {"done": True}

    @app.post("/keep")
    async def keep(request: Request) -> dict[str, int]:
        await asyncio.sleep(0.3)
        return {"bytes": len(await read_body(request, 50_000_000))}


def main(port: int, way: str) -> int:
    configure_logging("INFO")
    PatientProtocol.head_seconds = 1.0
    shell = Shell()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if way == "fail":
            raise RuntimeError("cannot start")
        if way == "fatal":
            asyncio.get_running_loop().call_later(0.3, shell.health.mark_fatal, "refused", 78)
        if way != "load":
            shell.health.mark_ready()
        yield

    app = create_shell("Test", lifespan=lifespan, shell=shell)

    add_routes(app)
    options = ServerOptions(
        drain_seconds=1.5, shutdown_seconds=5, keep_alive_seconds=1, stuck_seconds=6
    )
    return run(app, "127.0.0.1", port, shell.health, options=options)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), (sys.argv[2:] or [""])[0]))
