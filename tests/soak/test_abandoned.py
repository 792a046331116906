"""Callers who leave together: what still waited for them is never begun."""

from __future__ import annotations

import asyncio
import re

import httpx2
import pytest

from bench.load import run
from tests.soak.figures import keep
from tests.soak.system import System, running
from tests.soak.test_overload import FILM

CHEST = "chest-xray"
CALLERS = 200
_RUNNING = re.compile(r"^http_requests_running (\S+)$", re.MULTILINE)
_BEGUN = re.compile(r'^stage_seconds_count{stage="decode"} (\S+)$', re.MULTILINE)


async def metric(system: System, name: str, pattern: re.Pattern[str]) -> float:
    """One number of a process's metrics; zero before it was ever counted."""
    token = system.environment["SERVICE_INTERNAL_TOKEN"]
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        found = pattern.findall((await client.get(f"{system.url_of(name)}/metrics")).text)
    return float(found[0]) if found else 0.0


async def leave_together(system: System) -> dict[str, float]:
    """Ask all at once, leave when some are answered; count what is begun afterwards."""
    loop, pieces = asyncio.get_running_loop(), [FILM() for _ in range(CALLERS)]
    wires = [await asyncio.open_connection("127.0.0.1", system.port) for _ in range(CALLERS)]
    for (_, writer), request in zip(wires, pieces, strict=True):
        writer.writelines(request)
    await asyncio.sleep(1.0)
    before = await metric(system, CHEST, _BEGUN)
    for _, writer in wires:
        writer.transport.abort()
    left = loop.time()
    while await metric(system, "gateway", _RUNNING) > 1:  # this request is one
        assert loop.time() - left < 30
        await asyncio.sleep(0.02)
    quiet = loop.time() - left
    await asyncio.sleep(1.0)
    begun = await metric(system, CHEST, _BEGUN) - before
    waiting = CALLERS - before
    return {
        "callers": CALLERS,
        "waiting_when_they_left": waiting,
        "begun_afterwards": begun,
        "share_never_begun": 1 - begun / waiting,
        "seconds_until_nothing_ran": quiet,
    }


@pytest.mark.soak
def test_figure_11_what_two_hundred_callers_left_behind_is_not_begun(tmp_path):
    room = {"GATEWAY_REQUESTS_PER_MINUTE": "0", "GATEWAY_MAX_WAITING": "400"}
    with running(tmp_path, (CHEST,), **room) as system:
        figures = run(leave_together(system))

    keep("abandoned", figures)
    assert figures["waiting_when_they_left"] > CALLERS / 2
    assert figures["share_never_begun"] >= 0.95
    assert figures["seconds_until_nothing_ran"] <= 1.0
