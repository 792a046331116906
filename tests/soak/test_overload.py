"""Two, five and ten times what the system can do: it does as much as before and refuses the rest.

Capacity is the highest rate of an open loop at which nothing is refused or late. Generator,
gateway and service share the machine, so every refusal costs the good answers something.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass

import pytest

from bench.film import gets, raw_posts
from bench.load import closed_loop, once, open_loop, run
from tests.soak.figures import keep
from tests.soak.samples import sample
from tests.soak.system import System

DEADLINE_SECONDS = 10.0
REFUSED = 503
#: The rate is lowered by this until the system keeps up.
STEP = 0.95
Address = tuple[str, int]
FILM = raw_posts(sample("chest-xray/person418_virus_852.jpeg"), "/v1/chest-xray/predictions")


@dataclass(frozen=True, slots=True)
class Overload:
    """What came back at a multiple of the capacity, and how long until all was well again."""

    times: float
    rate: float
    goodput: float
    share_of_capacity: float
    admitted_p99_ms: float
    refused: int
    refused_p99_ms: float
    refused_without_retry_after: int
    livez_worst_ms: float
    other_answers: int
    recovery_seconds: float


async def capacity(address: Address, seconds: float) -> float:
    """The highest rate that the system keeps up with, in requests per second."""
    warm = seconds / 4
    load = await closed_loop(address, FILM, clients=8, seconds=seconds, warm_up_seconds=warm)
    rate = load.rate
    while rate > 0.05:
        load = await open_loop(address, FILM, rate=rate, seconds=seconds)
        if not load.failures and load.percentile_ms(0.99) <= DEADLINE_SECONDS * 1000:
            return rate
        rate *= STEP
    raise AssertionError("the system keeps up with nothing")


async def overload(address: Address, times: float, capacity: float, seconds: float) -> Overload:
    """Send `times` the capacity for so long and let the system recover."""
    loop, beats = asyncio.get_running_loop(), list[float]()
    pulse = asyncio.create_task(heartbeat(address, beats))
    started = loop.time()
    load = await open_loop(address, FILM, rate=times * capacity, seconds=seconds)
    # What still waited at the end of the load was answered after it: that time counts too.
    goodput = len(load.good) / (loop.time() - started)
    pulse.cancel()
    refused = [answer for answer in load.answers if answer.status == REFUSED]
    return Overload(
        times=times,
        rate=times * capacity,
        goodput=goodput,
        share_of_capacity=goodput / capacity,
        admitted_p99_ms=load.percentile_ms(0.99),
        refused=len(refused),
        refused_p99_ms=load.percentile_ms(0.99, REFUSED),
        refused_without_retry_after=sum(one.header("retry-after") is None for one in refused),
        livez_worst_ms=max(beats) * 1000,
        other_answers=load.failures - len(refused),
        recovery_seconds=await recovery(address, capacity / 2),
    )


async def heartbeat(address: Address, seconds: list[float]) -> None:
    """Ask for liveness ten times a second until cancelled; none is infinitely late."""
    while True:
        answer = await once(address, gets("/livez"))
        seconds.append(answer.seconds if answer.status == 200 else float("inf"))
        await asyncio.sleep(0.1)


async def recovery(address: Address, rate: float) -> float:
    """Seconds until a normal load has a whole second of good answers; infinite beyond 30."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while (begun := loop.time() - started) < 30:
        if not (await open_loop(address, FILM, rate=rate, seconds=1)).failures:
            return begun
    return float("inf")


async def measure(
    system: System, *, seconds: float, multiples: tuple[float, ...]
) -> tuple[float, list[Overload]]:
    """The capacity, and what the system does at multiples of it."""
    address = ("127.0.0.1", system.port)
    rate = await capacity(address, min(seconds, 10))
    return rate, [await overload(address, times, rate, seconds) for times in multiples]


def check(found: list[Overload], *, goodput: float) -> None:
    """Everybody got an answer or a refusal that says when to come again; work went on."""
    for one in found:
        assert one.refused and not one.refused_without_retry_after, one
        assert not one.other_answers, one
        assert one.share_of_capacity >= goodput, one


def test_figure_5_at_five_times_its_capacity_the_system_still_works_and_refuses_the_rest(system):
    _, found = run(measure(system, seconds=4, multiples=(5,)))

    check(found, goodput=0.4)
    for one in found:
        assert one.refused_p99_ms < one.admitted_p99_ms, "a refusal is no quicker than an answer"
        assert one.livez_worst_ms < one.admitted_p99_ms
        assert one.recovery_seconds < float("inf")


@pytest.mark.soak
def test_figure_5_overload_by_two_five_and_ten_for_a_minute_each(chest_system):
    before = chest_system.use("gateway").rss_bytes
    rate, found = run(measure(chest_system, seconds=60, multiples=(2, 5, 10)))
    grown = (chest_system.use("gateway").rss_bytes - before) / 2**20

    runs = [asdict(one) for one in found]
    figures = {"capacity_per_second": rate, "runs": runs, "gateway_growth_mib": grown}
    keep("overload", figures)
    check(found, goodput=0.9)
    for one in found:
        assert one.admitted_p99_ms <= DEADLINE_SECONDS * 1000, one
        assert one.refused_p99_ms < 50, one
        assert one.livez_worst_ms <= 250, one
        assert one.recovery_seconds <= 5, one
    assert grown < 100
