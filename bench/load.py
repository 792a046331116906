"""Send the same request again and again, and write down how each was answered.

A closed loop keeps a number of clients busy: each sends its next request when the last one is
answered. An open loop sends at given times whatever the answers do, and counts the time of a
request from the moment at which it was due, so that waiting in line is not hidden.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar

from bench.answers import Answer, Load
from bench.connection import Connection

T = TypeVar("T")
Pieces = tuple[bytes, ...]
#: Returns the head and body of the next request, in pieces that are sent as they are.
NextRequest = Callable[[], Pieces]
_MOST_CONNECTIONS = 1_000
#: Who uses a connection again after a longer pause may meet it while the server closes it.
_IDLE_SECONDS = 5.0


async def closed_loop(
    address: tuple[str, int],
    request: NextRequest,
    *,
    clients: int,
    seconds: float,
    warm_up_seconds: float = 0.0,
    timeout_seconds: float = 30.0,
) -> Load:
    """Return what `clients` got who each waited for an answer before they asked again.

    Answers that came during the warm-up are left out.
    """
    begin = monotonic() + warm_up_seconds
    end = begin + seconds
    answers: list[Answer] = []

    async def client() -> None:
        async with _connection(address) as connection:
            while (sent := monotonic()) < end:
                answer = await connection.ask(request(), sent, timeout_seconds)
                if begin <= monotonic() <= end:
                    answers.append(answer)
                if answer.status == 0:
                    await asyncio.sleep(0.05)

    await asyncio.gather(*(client() for _ in range(clients)))
    return Load(tuple(answers), seconds)


async def once(address: tuple[str, int], request: NextRequest) -> Answer:
    """Return what came of one request."""
    return (await fixed_count(address, request, clients=1, count=1)).answers[0]


async def fixed_count(
    address: tuple[str, int], request: NextRequest, *, clients: int, count: int
) -> Load:
    """Return what `clients` in a closed loop got for `count` requests together."""
    left = itertools.count()
    answers: list[Answer] = []
    started = monotonic()

    async def client() -> None:
        async with _connection(address) as connection:
            while next(left) < count:
                answers.append(await connection.ask(request(), monotonic()))

    await asyncio.gather(*(client() for _ in range(clients)))
    return Load(tuple(answers), monotonic() - started)


async def open_loop(
    address: tuple[str, int],
    request: NextRequest,
    *,
    rate: float,
    seconds: float,
    timeout_seconds: float = 30.0,
    seed: int = 0,
) -> Load:
    """Return what came of requests sent at `rate` per second, at random moments.

    A request for which there was no connection left counts as unanswered (status 0).
    """
    idle: list[tuple[Connection, float]] = []
    used: set[Connection] = set()
    answers: list[Answer] = []

    async def one(due: float) -> None:
        connection, since = idle.pop() if idle else (Connection(address), due)
        if due - since > _IDLE_SECONDS:
            connection.close()
        if len(used) >= _MOST_CONNECTIONS:
            answers.append(Answer(0, 0.0, b""))
            return
        used.add(connection)
        answers.append(await connection.ask(request(), due, timeout_seconds))
        used.discard(connection)
        idle.append((connection, monotonic()))

    async with asyncio.TaskGroup() as tasks:
        for due in _moments(monotonic(), rate, seconds, seed):
            await asyncio.sleep(due - monotonic())
            tasks.create_task(one(due))
    for connection, _ in idle:
        connection.close()
    return Load(tuple(answers), seconds)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run one measurement on the fastest loop that is installed."""
    factory = None
    with suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(work)


def _moments(start: float, rate: float, seconds: float, seed: int) -> Iterator[float]:
    """Yield the moments of a Poisson process."""
    chance, moment = random.Random(seed), start
    while (moment := moment + chance.expovariate(rate)) < start + seconds:
        yield moment


@asynccontextmanager
async def _connection(address: tuple[str, int]) -> AsyncIterator[Connection]:
    connection = Connection(address)
    try:
        yield connection
    finally:
        connection.close()
