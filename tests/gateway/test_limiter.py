import asyncio

import pytest

from contracts.errors import Overloaded
from gateway.limiter import ConcurrencyLimiter


def limiter(limit=1, max_waiting=1, max_wait_seconds=5.0):
    return ConcurrencyLimiter(
        limit=limit,
        max_waiting=max_waiting,
        max_wait_seconds=max_wait_seconds,
        jitter=lambda: 0.5,
    )


class Holder:
    """Holds a place until told to let go."""

    def __init__(self, lane):
        self.inside, self.leave = asyncio.Event(), asyncio.Event()
        self.task = asyncio.create_task(self._hold(lane))

    async def _hold(self, lane):
        async with lane.slot(seconds_left=5):
            self.inside.set()
            await self.leave.wait()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_beyond_limit_and_waiting_room_it_refuses_at_once():
    lane = limiter(limit=1, max_waiting=1)
    first, second = Holder(lane), Holder(lane)
    await settle()

    with pytest.raises(Overloaded) as caught:
        lane.check()

    assert (lane.running, lane.waiting) == (1, 1)
    assert caught.value.retry_after_seconds == 3
    first.leave.set()
    second.leave.set()
    await asyncio.gather(first.task, second.task)


async def test_places_are_given_in_the_order_of_arrival():
    lane = limiter(limit=1, max_waiting=3)
    holders = [Holder(lane) for _ in range(4)]
    await settle()

    order = []
    for holder in holders:
        await holder.inside.wait()
        order.append([other.inside.is_set() for other in holders].count(True))
        holder.leave.set()
        await holder.task

    assert order == [1, 2, 3, 4]


async def test_a_cancelled_caller_leaves_the_waiting_room():
    lane = limiter(limit=1, max_waiting=1)
    first, waiting = Holder(lane), Holder(lane)
    await settle()
    waiting.task.cancel()
    await settle()

    lane.check()

    assert lane.waiting == 0
    assert not waiting.inside.is_set()
    first.leave.set()
    await first.task


async def test_waiting_ends_with_a_refusal_when_no_place_comes_free():
    lane = limiter(limit=1, max_waiting=1, max_wait_seconds=0.01)
    first = Holder(lane)
    await first.inside.wait()

    with pytest.raises(Overloaded):
        async with lane.slot(seconds_left=5):
            pytest.fail("a place was given")

    assert lane.waiting == 0
    first.leave.set()
    await first.task


async def test_a_place_is_free_again_after_a_failure_inside():
    lane = limiter(limit=1, max_waiting=0)
    with pytest.raises(ZeroDivisionError):
        async with lane.slot(seconds_left=5):
            raise ZeroDivisionError

    async with lane.slot(seconds_left=5):
        assert lane.running == 1
    assert lane.running == 0
