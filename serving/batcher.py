"""Gather single items into batches and give every caller the answer to its own item.

The eight rules that keep answers from being swapped, lost or awaited for ever:
 1. A job is one object that holds its item and its future.
 2. Cancelled jobs are dropped first; inputs are built from the list that will be answered.
 3. A future is checked before it is set.
 4. An exception of the model fails exactly that batch, and the loop goes on.
 5. A wrong number of results is an error for the whole batch.
 6. A full queue refuses at once.
 7. The clock is the loop's; the deadline starts at the first item.
 8. Closing finishes the running batch and answers every other caller.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from contracts.errors import Overloaded, Unavailable

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, eq=False)
class _Job(Generic[Item, Result]):
    """One item and the future of its answer (rule 1)."""

    item: Item
    future: asyncio.Future[Result]


class WrongResultCount(RuntimeError):
    """The model gave another number of results than items (rule 5)."""


class Batcher(Generic[Item, Result]):
    """Runs `run_batch` on an executor that the caller owns; open it with `async with`.

    `run_batch` takes one to `max_batch` items and returns one result per item, in order.
    """

    def __init__(
        self,
        run_batch: Callable[[Sequence[Item]], Sequence[Result]],
        executor: Executor,
        *,
        max_batch: int,
        max_wait_seconds: float,
        max_queue: int,
        workers: int = 1,
    ) -> None:
        """`max_wait_seconds` counts from the first item of a batch; 0 takes what is there.

        `workers` batches may run at once; `max_queue` items may wait beside those that run.
        """
        self._run_batch = run_batch
        self._executor = executor
        self._max_batch = max_batch
        self._max_wait_seconds = max_wait_seconds
        self._max_queue = max_queue
        self._workers = workers
        self._waiting: deque[_Job[Item, Result]] = deque()
        #: At least one permit per waiting job; a job that left may leave its permit behind.
        self._arrived = asyncio.Semaphore(0)
        self._loops: list[asyncio.Task[None]] = []
        self._closed = True

    @property
    def queue_length(self) -> int:
        """Items that wait for their batch."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """True when the next item would be refused."""
        return len(self._waiting) >= self._max_queue

    async def __aenter__(self) -> Self:
        """Start the loops."""
        self._closed = False
        self._loops = [asyncio.create_task(self._serve()) for _ in range(self._workers)]
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Let running batches finish, refuse what waits, stop the loops (rule 8)."""
        self._closed = True
        for _ in self._loops:
            self._arrived.release()
        await asyncio.gather(*self._loops)
        while self._waiting:
            _fail(self._waiting.popleft(), _closing())

    async def submit(self, item: Item) -> Result:
        """Return the result of this item.

        Raises Overloaded (503) at once when the queue is full, Unavailable (503) when closing,
        and whatever `run_batch` raised for the batch of this item.
        """
        if self._closed:
            raise _closing()
        if self.is_full:
            raise Overloaded("Too many requests are waiting.", retry_after_seconds=1)
        job: _Job[Item, Result] = _Job(item, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._arrived.release()
        try:
            return await job.future
        except asyncio.CancelledError:
            if job in self._waiting:
                self._waiting.remove(job)
            raise

    async def _serve(self) -> None:
        """Collect a batch, run it, answer; until closed."""
        while not self._closed:
            jobs = await self._collect()
            if self._closed:
                for job in jobs:
                    _fail(job, _closing())
            else:
                await self._answer(jobs)

    async def _collect(self) -> list[_Job[Item, Result]]:
        """Return the next batch; it may be empty when closing."""
        first = await self._next()
        if first is None:
            return []
        jobs = [first]
        until = asyncio.get_running_loop().time() + self._max_wait_seconds
        while len(jobs) < self._max_batch and not self._closed:
            if self._waiting:
                jobs.append(self._waiting.popleft())
                continue
            try:
                async with asyncio.timeout_at(until):
                    job = await self._next()
            except TimeoutError:
                break
            if job is not None:
                jobs.append(job)
        return jobs

    async def _next(self) -> _Job[Item, Result] | None:
        """Wait for the next job; None when closing."""
        while not self._closed:
            await self._arrived.acquire()
            if self._waiting:
                return self._waiting.popleft()
        return None

    async def _answer(self, jobs: list[_Job[Item, Result]]) -> None:
        """Run one batch and hand each result to the job it was made for (rules 2 to 5)."""
        live = [job for job in jobs if not job.future.done()]
        if not live:
            return
        items = [job.item for job in live]
        try:
            results = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._run_batch, items
            )
            if len(results) != len(live):
                raise WrongResultCount(f"{len(results)} results for {len(live)} items")
        except Exception as error:
            for job in live:
                _fail(job, error)
            return
        for job, result in zip(live, results, strict=True):
            if not job.future.done():
                job.future.set_result(result)


def _fail(job: _Job[Item, Result], error: Exception) -> None:
    """Give a caller its error unless it has left (rule 3)."""
    if not job.future.done():
        job.future.set_exception(error)


def _closing() -> Unavailable:
    """What callers hear while the process stops."""
    return Unavailable("The service is stopping.", code="draining", retry_after_seconds=2)
