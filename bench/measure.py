"""Everything that is measured of servers, in one run and one after the other."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from bench.answers import Load
from bench.attempts import Attempts, NotMeasured
from bench.contestants import System
from bench.film import film, gets
from bench.load import closed_loop, fixed_count, once, open_loop, run
from bench.plan import Plan
from bench.results import Added, Contestant, Livez, MemoryUse, Point, Size, Starts
from bench.server import Server, memory_of, running, start, stop

_POLL_SECONDS = 0.02
_LIVEZ_PER_SECOND = 20.0
_LOADED_CLIENTS = 32
_START_PATIENCE_SECONDS = 120.0
#: A server that answers fewer requests a second than this is not waited for.
_LEAST_RATE = 10.0
_GRACE_SECONDS = 30.0


def contestant(server: Server, plan: Plan, logs: Path) -> Contestant:
    """Return one server under all loads, closed and then open."""
    payload = film()
    with running(server, payload, logs):
        closed = tuple(_closed(server, payload, clients, plan) for clients in plan.clients)
        best = max(point.rate for point in closed)
        if not best:
            raise NotMeasured("gave no good answer under load")
        opened = tuple(_open(server, payload, best * share, plan) for share in plan.shares)
    print(f"  {server.name}: {best:.0f} a second at most", flush=True)
    return Contestant(name=server.name, settings=server.settings, closed=closed, open=opened)


def sizes(ours: Server, plain: Server, plan: Plan, logs: Path) -> tuple[Size, ...]:
    """Return both servers with the film at other sizes, each server started once."""
    films = {side: film(side) for side in plan.sides}
    points: list[dict[int, Point]] = []
    for server in (ours, plain):
        with running(server, film(), logs):
            points.append(
                {side: _closed(server, films[side], plan.size_clients, plan) for side in films}
            )
    return tuple(
        Size(side=side, size_bytes=len(films[side]), ours=points[0][side], plain=points[1][side])
        for side in films
    )


def added(system: System, plan: Plan) -> Added:
    """Return the median of one client at the gateway and at the service; both must run.

    In turns, so that what the machine does besides meets both alike.
    """
    payload = film()
    times: dict[str, list[float]] = {}
    for _ in range(plan.turns):
        for server in (system.both(), system.service_alone()):
            load = run(_closed_load(server, payload, 1, plan))
            times.setdefault(server.name, []).append(load.percentile_ms(0.5))
    gateway, service = (sorted(found)[len(found) // 2] for found in times.values())
    return Added(gateway_ms=gateway, service_ms=service)


@dataclass(slots=True)
class Inside:
    """What is seen of MediFlow itself in one life of its two processes."""

    memory: MemoryUse | None = None
    stages_ms: dict[str, float] | None = None
    added: Added | None = None
    livez: Livez | None = None


def inside(system: System, plan: Plan, logs: Path, attempts: Attempts) -> Inside:
    """Return memory, stages, the gateway's share and the probes under load."""
    both, found = system.both(), Inside()
    with running(both, film(), logs) as processes:
        found.memory = attempts.get("Memory", lambda: memory(both, processes, plan))
        found.stages_ms = attempts.get("Stages", lambda: stages_ms(both, plan))
        found.added = attempts.get("What the gateway adds", lambda: added(system, plan))
        found.livez = attempts.get("Probes under load", lambda: livez(system, plan))
    return found


def memory(both: Server, processes: Sequence[Popen[bytes]], plan: Plan) -> MemoryUse:
    """Return the memory of service and gateway at rest, and after many requests."""
    seen = [[memory_of(process) for process in processes]]
    for count in (plan.requests // 2, plan.requests - plan.requests // 2):
        _ask_often(both, count)
        seen.append([memory_of(process) for process in processes])
    rest, half, after = seen
    return MemoryUse(
        requests=plan.requests,
        service_rest=rest[0].resident,
        service_half=half[0].resident,
        service_after=after[0].resident,
        service_rest_shared_out=rest[0].proportional,
        gateway_rest=rest[1].resident,
        gateway_after=after[1].resident,
    )


def _ask_often(both: Server, count: int) -> None:
    """Ask so many times; raise NotMeasured when not all were answered in time."""
    work = fixed_count(both.address, both.posts(film()), clients=8, count=count)
    try:
        found = run(asyncio.wait_for(work, count / _LEAST_RATE + _GRACE_SECONDS))
    except TimeoutError as error:
        raise NotMeasured(f"{count} requests took too long") from error
    if found.failures:
        raise NotMeasured(f"{found.failures} of {count} requests failed")


def stages_ms(both: Server, plan: Plan) -> dict[str, float]:
    """Return the mean of each stage at one client; raise NotMeasured when no answer told any."""
    found = run(_closed_load(both, film(), 1, plan)).stage_means_ms()
    if not found:
        raise NotMeasured("no answer told its stages")
    return found


def livez(system: System, plan: Plan) -> Livez:
    """Return the 99th percentile of `/livez` at gateway and service under full load."""
    seconds = plan.seconds + plan.warm_up_seconds

    async def probe() -> Livez:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_closed_load(system.both(), film(), _LOADED_CLIENTS, plan))
            probes = [
                tasks.create_task(
                    open_loop(address, gets("/livez"), rate=_LIVEZ_PER_SECOND, seconds=seconds)
                )
                for address in (system.both().address, system.service_alone().address)
            ]
        gateway, service = (task.result().percentile_ms(0.99) for task in probes)
        if math.isnan(gateway) or math.isnan(service):
            raise NotMeasured("no probe was answered")
        return Livez(gateway_p99_ms=gateway, service_p99_ms=service)

    return run(probe())


def starts(alone: Server, logs: Path) -> Starts:
    """Return the seconds of a first start and of one that finds the compiled form."""
    cold, warm = (start_seconds(alone, logs) for _ in range(2))
    return Starts(cold_seconds=cold, warm_seconds=warm)


def start_seconds(server: Server, logs: Path) -> float:
    """Return the seconds from the start of a service's process until it says ready."""
    began = time.monotonic()
    processes: list[Popen[bytes]] = []
    try:
        for command in server.commands:
            processes.append(start(command, server.environment, logs / "start.log"))
        while run(once(server.address, gets("/readyz"))).status != 200:
            if time.monotonic() - began > _START_PATIENCE_SECONDS:
                raise NotMeasured("did not become ready")
            time.sleep(_POLL_SECONDS)
        return time.monotonic() - began
    finally:
        for process in processes:
            stop(process)


def _closed(server: Server, payload: bytes, clients: int, plan: Plan) -> Point:
    return _point(clients, run(_closed_load(server, payload, clients, plan)))


def _closed_load(
    server: Server, payload: bytes, clients: int, plan: Plan
) -> Coroutine[None, None, Load]:
    return closed_loop(
        server.address,
        server.posts(payload),
        clients=clients,
        seconds=plan.seconds,
        warm_up_seconds=plan.warm_up_seconds,
    )


def _open(server: Server, payload: bytes, rate: float, plan: Plan) -> Point:
    request = server.posts(payload)
    load = run(open_loop(server.address, request, rate=rate, seconds=plan.seconds))
    return _point(rate, load)


def _point(load: float, found: Load) -> Point:
    return Point(
        load=load,
        rate=found.rate,
        p50_ms=found.percentile_ms(0.5),
        p99_ms=found.percentile_ms(0.99),
        failures=found.failures,
    )
