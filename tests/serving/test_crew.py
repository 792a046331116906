"""A crew does whole jobs, refuses what is too much, and never begins what nobody awaits."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts.errors import InvalidInput, Overloaded
from serving.crew import Crew


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_jobs_get_their_own_results_and_errors(pool):
    def fails():
        raise InvalidInput("bad", code="bad")

    crew = Crew(pool, size=1, max_queue=8)
    first, second, third = await asyncio.gather(
        crew.run(lambda: 1), crew.run(fails), crew.run(lambda: 3), return_exceptions=True
    )

    assert (first, type(second), third) == (1, InvalidInput, 3)
    assert crew.queue_length == 0


async def test_F6_beyond_its_threads_and_its_queue_a_crew_refuses_at_once(pool):
    crew, go_on = Crew(pool, size=1, max_queue=1), threading.Event()
    running, waiting = (asyncio.create_task(crew.run(go_on.wait)) for _ in range(2))
    await asyncio.sleep(0)

    assert crew.queue_length == 1
    try:
        with pytest.raises(Overloaded):
            async with asyncio.timeout(5):
                await crew.run(lambda: None)
    finally:
        go_on.set()
    await asyncio.gather(running, waiting)
    assert await crew.run(lambda: "again") == "again"


async def test_T13_a_job_of_a_caller_who_left_never_begins(pool):
    crew, go_on, begun = Crew(pool, size=1, max_queue=4), threading.Event(), []
    running = asyncio.create_task(crew.run(go_on.wait))
    gone = asyncio.create_task(crew.run(lambda: begun.append("gone")))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)

    assert crew.queue_length == 0
    go_on.set()
    await running
    await crew.run(lambda: None)
    assert begun == []
