"""Mixed traffic with bad input and killed services: nothing grows, nothing sticks, nobody else
notices.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx2
import pytest

from bench.answers import Answer, Load
from bench.load import Pieces, closed_loop, open_loop, run
from deploy.procfile import GATEWAY
from tests.soak.conftest import OPEN
from tests.soak.figures import keep
from tests.soak.records import lost_or_doubled
from tests.soak.system import System, running
from tests.soak.traffic import SHARES, requests
from tests.soak.watch import Growth, Watch

#: Those that are killed in turn, and what their callers may be told meanwhile.
KILLED = ("chest-xray", "symptoms")
UPSTREAM_FAULTS = {502, 503, 504}
_RUNNING = re.compile(r"^http_requests_running (\S+)$", re.MULTILINE)


@dataclass
class Soak:
    """What came of it."""

    answers: dict[str, list[Answer]] = field(default_factory=dict)
    kills: int = 0
    p99_ms_by_third: list[float] = field(default_factory=list)
    growth: dict[str, Growth] = field(default_factory=dict)
    still_running: float = 0.0

    @property
    def statuses(self) -> dict[str, dict[int, int]]:
        """How often each status was the answer, by kind of request."""
        return {
            kind: dict(sorted(Counter(one.status for one in answers).items()))
            for kind, answers in self.answers.items()
        }

    def add(self, loads: dict[str, Load]) -> None:
        """Take in one round."""
        for kind, load in loads.items():
            self.answers.setdefault(kind, []).extend(load.answers)

    def figures(self) -> dict[str, Any]:
        """What is kept."""
        return {
            "requests": sum(map(len, self.answers.values())),
            "statuses": self.statuses,
            "kills": self.kills,
            "p99_ms_by_third": self.p99_ms_by_third,
            "growth": {name: asdict(one) for name, one in self.growth.items()},
            "requests_still_running": self.still_running,
        }


async def mixed_capacity(port: int, seconds: float) -> float:
    """Requests per second of the mixture that eight busy clients get."""
    makers, chance = requests(), random.Random(1)

    def any_kind() -> Pieces:
        return makers[chance.choices(list(SHARES), list(SHARES.values()))[0]]()

    load = await closed_loop(("127.0.0.1", port), any_kind, clients=8, seconds=seconds)
    return len(load.answers) / seconds


async def one_round(port: int, rate: float, seconds: float, seed: int) -> dict[str, Load]:
    """Every kind of request at its share of the rate, side by side."""
    makers = requests()
    loads = await asyncio.gather(
        *(
            open_loop(("127.0.0.1", port), makers[kind], rate=rate * share, seconds=seconds, seed=n)
            for n, (kind, share) in enumerate(SHARES.items(), start=seed)
        )
    )
    return dict(zip(SHARES, loads, strict=True))


async def kill_and_start(system: System, name: str) -> None:
    """Kill a service and start it a second later, as a process runner would."""
    system.kill(name)
    await asyncio.sleep(1)
    system.start(name)


async def soak(system: System, *, rate: float, rounds: int, seconds: float) -> Soak:
    """Load the system for some rounds and kill a service in the midst of each but the last."""
    result, watch = Soak(), Watch(system)
    sampling = asyncio.create_task(watch.run(every_seconds=min(2.0, seconds / 10)))
    for number in range(rounds):
        load = asyncio.create_task(one_round(system.port, rate, seconds, seed=100 * number))
        await asyncio.sleep(seconds / 4)
        if number < rounds - 1:
            await kill_and_start(system, KILLED[number % len(KILLED)])
            result.kills += 1
        result.add(await load)
    sampling.cancel()
    result.growth = watch.growth()
    result.p99_ms_by_third = _thirds(result.answers["heart-risk"])
    metrics = httpx2.get(f"{system.url}/metrics").text
    result.still_running = float(_RUNNING.findall(metrics)[0]) - 1  # this request is one
    return result


def _thirds(answers: list[Answer]) -> list[float]:
    """The p99 of the first, the second and the last third, of a service that is never killed."""
    size = len(answers) // 3
    parts = (tuple(answers[start : start + size]) for start in (0, size, 2 * size))
    return [Load(part, 1.0).percentile_ms(0.99) for part in parts]


def check(result: Soak) -> None:
    """Only callers of a killed service notice, bad requests are refused, all are answered."""
    for kind, statuses in result.statuses.items():
        if kind == "bad":
            assert all(400 <= one < 500 or one in UPSTREAM_FAULTS for one in statuses), statuses
        else:
            allowed = {200} | (UPSTREAM_FAULTS if kind in KILLED else set())
            assert statuses.keys() <= allowed, (kind, statuses)
            assert 200 in statuses, kind
    assert result.still_running == 0
    assert all(one.descriptors <= 8 for one in result.growth.values()), result.growth
    assert all(one.threads <= 4 for one in result.growth.values()), result.growth


def test_figure_6_15_twenty_seconds_of_mixed_traffic_and_a_killed_service(system):
    result = run(soak(system, rate=6, rounds=2, seconds=10))
    system.wait_ready()

    check(result)
    assert result.kills == 1
    assert lost_or_doubled(system, itertools.chain.from_iterable(result.answers.values())) == []


@pytest.mark.soak
def test_figure_15_ten_minutes_of_mixed_traffic_with_a_kill_every_minute(tmp_path):
    with running(tmp_path, **OPEN) as system:
        capacity = run(mixed_capacity(system.port, seconds=20))
        result = run(soak(system, rate=0.6 * capacity, rounds=10, seconds=60))

    keep("soak", {"mixed_capacity_per_second": capacity, **result.figures()})
    check(result)
    assert result.growth[GATEWAY].fitted_growth_mib < 16, result.growth[GATEWAY]
    assert max(one.fitted_growth_mib for one in result.growth.values()) < 64, result.growth
