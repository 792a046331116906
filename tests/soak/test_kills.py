"""A service that is killed again and again: nothing that was answered is lost or doubled, and
callers of the others notice nothing.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from bench.answers import Answer
from bench.load import run
from tests.soak.conftest import OPEN
from tests.soak.figures import keep
from tests.soak.records import lost_or_doubled, verified
from tests.soak.system import System, running
from tests.soak.test_soak import UPSTREAM_FAULTS, mixed_capacity, one_round

KILLED = "chest-xray"
PAUSE_SECONDS = 5.0


@dataclass
class Killed:
    """What came of it."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    ready_seconds: list[float] = field(default_factory=list)

    @property
    def statuses(self) -> dict[str, dict[int, int]]:
        return {
            kind: dict(sorted(Counter(one.status for one in answers).items()))
            for kind, answers in self.answers.items()
        }

    def figures(self) -> dict[str, Any]:
        return {
            "kills": len(self.ready_seconds),
            "statuses": self.statuses,
            "slowest_restart_seconds": max(self.ready_seconds),
        }


async def killed_under_load(system: System, *, rate: float, seconds: float) -> Killed:
    """Load the system; kill one service, let it be ready for `PAUSE_SECONDS`, kill it again."""
    result, loop = Killed(), asyncio.get_running_loop()
    load = asyncio.create_task(one_round(system.port, rate, seconds, seed=6))
    while not load.done():
        await asyncio.wait({load}, timeout=PAUSE_SECONDS)
        if load.done():
            break
        system.kill(KILLED)
        begun = loop.time()
        system.start(KILLED)
        await asyncio.to_thread(system.wait_ready, KILLED)
        result.ready_seconds.append(loop.time() - begun)
    result.answers = {kind: list(one.answers) for kind, one in (await load).items()}
    return result


def check(system: System, result: Killed) -> None:
    """Only callers of the killed service may be told of it, and all told is recorded once."""
    answers = itertools.chain.from_iterable(result.answers.values())
    assert lost_or_doubled(system, answers) == []
    for kind, statuses in result.statuses.items():
        if kind == KILLED:
            assert statuses.keys() <= {200} | UPSTREAM_FAULTS, statuses
        elif kind != "bad":
            assert statuses.keys() <= {200}, (kind, statuses)


@pytest.mark.soak
def test_figure_6_a_service_killed_every_few_seconds_for_three_minutes(tmp_path):
    with running(tmp_path, **OPEN) as system:
        capacity = run(mixed_capacity(system.port, seconds=20))
        result = run(killed_under_load(system, rate=capacity / 2, seconds=180))
        chain = verified(system)
        check(system, result)

    keep("service-kills", {"capacity_per_second": capacity, "chain": chain, **result.figures()})
    assert result.ready_seconds
