import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import Overloaded, Unavailable
from serving.batcher import Batcher, WrongResultCount


def double(items: Sequence[int]) -> list[int]:
    return [2 * item for item in items]


@asynccontextmanager
async def opened(run_batch, *, workers: int = 1, **options) -> AsyncIterator[Batcher]:
    defaults = {"max_batch": 4, "max_wait_seconds": 0.0, "max_queue": 100} | options
    with ThreadPoolExecutor(workers) as executor:
        async with Batcher(run_batch, executor, workers=workers, **defaults) as batcher:
            yield batcher


class Gate:
    """A model that stops in its first batch until it is let go."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.release = threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.entered.set()
        self.release.wait(5)
        return double(items)

    async def running(self) -> None:
        await asyncio.to_thread(self.entered.wait, 5)


async def test_a_single_item_gets_its_answer():
    async with opened(double) as batcher:
        answer = await batcher.submit(21)

    assert answer == 42


async def test_items_that_wait_together_run_in_one_batch():
    gate = Gate()
    async with opened(gate) as batcher:
        first = asyncio.create_task(batcher.submit(0))
        await gate.running()
        others = [asyncio.create_task(batcher.submit(item)) for item in (1, 2, 3)]
        await asyncio.sleep(0)
        gate.release.set()
        answers = await asyncio.gather(first, *others)

    assert answers == [0, 2, 4, 6]
    assert gate.batches == [[0], [1, 2, 3]]


async def test_a_batch_is_never_larger_than_allowed():
    sizes = []

    def run(items):
        sizes.append(len(items))
        return double(items)

    async with opened(run, max_batch=3, max_wait_seconds=0.01) as batcher:
        await asyncio.gather(*(batcher.submit(item) for item in range(10)))

    assert max(sizes) == 3


async def test_F18_a_cancelled_caller_does_not_disturb_its_batch_mates():
    gate = Gate()
    async with opened(gate, max_wait_seconds=0.02) as batcher:
        tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2, 3)]
        await gate.running()
        tasks[1].cancel()
        gate.release.set()
        async with asyncio.timeout(10):
            answers = await asyncio.gather(*tasks, return_exceptions=True)

    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], asyncio.CancelledError)


async def test_T13_work_of_a_caller_that_left_never_starts():
    gate = Gate()
    async with opened(gate) as batcher:
        first = asyncio.create_task(batcher.submit(0))
        await gate.running()
        gone = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
        await asyncio.sleep(0)
        for task in gone:
            task.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        length = batcher.queue_length
        gate.release.set()
        await first

    assert length == 0
    assert gate.batches == [[0]]


async def test_an_exception_of_the_model_fails_exactly_that_batch():
    def run(items):
        if -1 in items:
            raise ValueError("bad item")
        return double(items)

    async with opened(run, max_batch=1) as batcher:
        answers = await asyncio.gather(
            *(batcher.submit(item) for item in (1, -1, 3)), return_exceptions=True
        )

    assert (answers[0], answers[2]) == (2, 6)
    assert isinstance(answers[1], ValueError)


@pytest.mark.parametrize("wrong", [lambda items: items[1:], lambda items: [*items, 0]])
async def test_a_wrong_number_of_results_is_an_error_for_the_whole_batch(wrong):
    async with opened(wrong, max_wait_seconds=0.01) as batcher:
        answers = await asyncio.gather(
            *(batcher.submit(item) for item in (1, 2)), return_exceptions=True
        )

    assert [type(answer) for answer in answers] == [WrongResultCount, WrongResultCount]


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_again():
    gate = Gate()
    async with opened(gate, max_batch=1, max_queue=1) as batcher:
        first = asyncio.create_task(batcher.submit(0))
        await gate.running()
        second = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0)

        with pytest.raises(Overloaded) as refused:
            await batcher.submit(2)

        gate.release.set()
        assert await asyncio.gather(first, second) == [0, 2]
    assert refused.value.retry_after_seconds is not None


async def test_the_wait_counts_from_the_first_item():
    batches = []

    def run(items):
        batches.append(list(items))
        return double(items)

    async with opened(run, max_batch=100, max_wait_seconds=0.05) as batcher:
        tasks = []
        for item in range(30):
            tasks.append(asyncio.create_task(batcher.submit(item)))
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)

    # Had each arrival moved the deadline, all thirty would have been one batch.
    assert len(batches) > 1


async def test_closing_finishes_the_running_batch_and_answers_everybody_else():
    gate = Gate()
    executor = ThreadPoolExecutor(1)
    batcher = Batcher(gate, executor, max_batch=1, max_wait_seconds=0.0, max_queue=9)
    await batcher.__aenter__()
    running = asyncio.create_task(batcher.submit(1))
    await gate.running()
    queued = [asyncio.create_task(batcher.submit(item)) for item in (2, 3)]
    await asyncio.sleep(0)

    closing = asyncio.create_task(batcher.__aexit__())
    await asyncio.sleep(0)
    gate.release.set()
    await closing
    answers = await asyncio.gather(running, *queued, return_exceptions=True)
    executor.shutdown()

    assert answers[0] == 2
    assert [type(answer) for answer in answers[1:]] == [Unavailable, Unavailable]


async def test_closing_answers_jobs_whose_batch_is_still_filling():
    async with opened(double, max_batch=10, max_wait_seconds=60.0) as batcher:
        waiting = asyncio.create_task(batcher.submit(1))
        await asyncio.sleep(0.01)

    with pytest.raises(Unavailable):
        await waiting


async def test_after_closing_nothing_is_taken():
    async with opened(double) as batcher:
        pass

    with pytest.raises(Unavailable):
        await batcher.submit(1)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    calls=st.integers(1, 40),
    max_batch=st.integers(1, 8),
    workers=st.integers(1, 3),
)
def test_F18_every_answer_belongs_to_its_question(seed, calls, max_batch, workers):
    """Random arrivals, cancellations and failures: an answer is right, an error, or cancelled."""
    chance = random.Random(seed)

    def run(items):
        if any(item % 11 == 7 for item in items):
            raise ValueError("this batch fails")
        return [item * 1000 + 1 for item in items]

    async def one(batcher, item):
        await asyncio.sleep(chance.random() * 0.003)
        return await batcher.submit(item)

    async def scenario():
        async with opened(
            run, workers=workers, max_batch=max_batch, max_wait_seconds=0.0005
        ) as batcher:
            tasks = [asyncio.create_task(one(batcher, item)) for item in range(calls)]
            for task in tasks:
                if chance.random() < 0.3:
                    await asyncio.sleep(chance.random() * 0.001)
                    task.cancel()
            async with asyncio.timeout(10):
                answers = await asyncio.gather(*tasks, return_exceptions=True)
                alive = await batcher.submit(1)
        return answers, alive, batcher.queue_length

    answers, alive, left = asyncio.run(scenario())

    assert alive == 1001
    assert left == 0
    for item, answer in enumerate(answers):
        right = answer == item * 1000 + 1
        assert right or isinstance(answer, ValueError | asyncio.CancelledError)
