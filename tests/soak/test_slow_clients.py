"""Five hundred slow sockets of five shapes for a minute: good callers hardly notice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools

import pytest

from bench.load import closed_loop, run
from tests.gateway.sockets.test_transport import SHAPES
from tests.soak.figures import keep
from tests.soak.system import System
from tests.soak.test_overload import FILM

SOCKETS = 500
GONE_SECONDS = 20.0


async def slow_client(port: int, start: bytes, drip: bytes, lives: list[float]) -> None:
    """Be slow until told to go, come back, and be slow again; note how long each was borne."""
    loop = asyncio.get_running_loop()
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            begun, open_ = loop.time(), True
            try:
                writer.write(start)
                while open_:
                    with contextlib.suppress(TimeoutError):
                        open_ = bool(await asyncio.wait_for(reader.read(4096), 1.0))
                    writer.write(drip)
            finally:
                lives.append(loop.time() - begun)
                writer.close()
        await asyncio.sleep(0.05)


async def beside_slow_clients(system: System, seconds: float) -> tuple[float, float, list[float]]:
    """The rate of good answers without and with slow clients, and how long those were borne."""
    address, lives = ("127.0.0.1", system.port), list[float]()
    alone = (await closed_loop(address, FILM, clients=8, seconds=20, warm_up_seconds=5)).rate
    shapes = itertools.islice(itertools.cycle(SHAPES.values()), SOCKETS)
    slow = [asyncio.create_task(slow_client(system.port, *shape, lives)) for shape in shapes]
    beside = (await closed_loop(address, FILM, clients=8, seconds=seconds)).rate
    ended = list(lives)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    return alone, beside, ended


@pytest.mark.soak
def test_figure_9_five_hundred_slow_sockets_for_a_minute(chest_system):
    alone, beside, lives = run(beside_slow_clients(chest_system, seconds=60))

    figures = {"rate_alone": alone, "rate_beside": beside, "share": beside / alone}
    keep("slow-clients", {**figures, "sockets_ended": len(lives), "longest_seconds": max(lives)})
    assert len(lives) >= SOCKETS
    assert max(lives) <= GONE_SECONDS
    assert beside >= 0.95 * alone
