import asyncio
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import Overloaded
from gateway.limiter import ARRIVAL_SECONDS, ConcurrencyLimiter


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


async def test_who_was_let_in_a_moment_ago_counts_as_waiting():
    now = [0.0]
    lane = ConcurrencyLimiter(limit=1, max_waiting=2, max_wait_seconds=5.0, clock=lambda: now[0])
    holder = Holder(lane)
    await holder.inside.wait()
    lane.announce()
    lane.announce()
    with pytest.raises(Overloaded):
        lane.announce()

    now[0] += 2 * ARRIVAL_SECONDS  # both are slow to come, and keep no place
    lane.announce()
    waiting = Holder(lane)  # that one came
    await settle()
    lane.announce()
    with pytest.raises(Overloaded):
        lane.announce()

    for one in (holder, waiting):
        one.leave.set()
        await one.task


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
        async with asyncio.timeout(2), lane.slot(seconds_left=5):
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


class LimiterMachine(RuleBasedStateMachine):
    """Whatever the order of arrivals, ends and departures: a queue before a counter of places."""

    LIMIT, ROOM = 2, 3

    def __init__(self):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.lane = limiter(limit=self.LIMIT, max_waiting=self.ROOM, max_wait_seconds=3600)
        self.inside, self.queue = [], deque()

    def _settle(self):
        self.loop.run_until_complete(settle())

    async def _holder(self):
        return Holder(self.lane)

    @rule()
    def arrive(self):
        full = len(self.inside) == self.LIMIT and len(self.queue) == self.ROOM
        holder = self.loop.run_until_complete(self._holder())
        self._settle()
        if full:
            assert isinstance(holder.task.exception(), Overloaded)
        elif len(self.inside) < self.LIMIT:
            self.inside.append(holder)
        else:
            self.queue.append(holder)

    @precondition(lambda self: self.inside)
    @rule(which=st.integers(0, 10), crash=st.booleans())
    def end(self, which, crash):
        holder = self.inside.pop(which % len(self.inside))
        holder.task.cancel() if crash else holder.leave.set()
        self._settle()
        if self.queue:
            self.inside.append(self.queue.popleft())

    @precondition(lambda self: self.queue)
    @rule(which=st.integers(0, 10))
    def give_up(self, which):
        self.queue.rotate(-(which % len(self.queue)))
        self.queue.popleft().task.cancel()
        self.queue.rotate(which % (len(self.queue) + 1))
        self._settle()

    @precondition(lambda self: self.inside and self.queue)
    @rule()
    def give_up_at_the_moment_of_being_called(self):
        self.inside.pop(0).leave.set()
        self.queue.popleft().task.cancel()
        self._settle()
        if self.queue:
            self.inside.append(self.queue.popleft())

    @invariant()
    def places_are_those_of_the_model(self):
        assert (self.lane.running, self.lane.waiting) == (len(self.inside), len(self.queue))
        assert all(holder.inside.is_set() for holder in self.inside)
        assert not any(holder.inside.is_set() for holder in self.queue)

    def teardown(self):
        for holder in (*self.inside, *self.queue):
            holder.task.cancel()
        self._settle()
        self.loop.close()


LimiterMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestLimiterAgainstItsModel = LimiterMachine.TestCase
