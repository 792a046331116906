"""Know which services are ready without asking them while somebody waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Self

from gateway.client import InferenceClient

#: A service that restarts is asked so often, as its callers are refused until it is back.
RESTART_POLL_SECONDS = 0.25


class ReadinessWatch(AbstractAsyncContextManager["ReadinessWatch"]):
    """Polls `/readyz` of every service, each at its own pace; open it with `async with`."""

    def __init__(
        self,
        client: InferenceClient,
        modality_ids: Sequence[str],
        *,
        poll_seconds: float,
        each_round: Callable[[], Awaitable[object]],
    ) -> None:
        """Until the first answer a service counts as not ready.

        `each_round` is awaited as often as a service is polled, to look at what else may have
        come back.
        """
        self._client = client
        self._poll_seconds = poll_seconds
        self._each_round = each_round
        self._tasks: list[asyncio.Task[None]] = []
        self.ready: dict[str, bool] = dict.fromkeys(modality_ids, False)

    async def __aenter__(self) -> Self:
        """Start polling."""
        polls = [self._poll(modality) for modality in self.ready]
        self._tasks = [
            asyncio.create_task(work, name="readiness watch") for work in (*polls, self._rounds())
        ]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop polling."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def refresh(self) -> None:
        """Ask every service once, all at the same time."""
        await asyncio.gather(*(self._ask(modality) for modality in self.ready))

    async def _ask(self, modality: str) -> None:
        """Ask one service once."""
        self.ready[modality] = await self._client.is_ready(modality)

    async def _poll(self, modality: str) -> None:
        """Ask one service again and again: one that is slow to answer delays no other."""
        gate = self._client.gates[modality]
        while True:
            await self._ask(modality)
            shortest = RESTART_POLL_SECONDS if gate.is_closed else self._poll_seconds
            await asyncio.sleep(min(shortest, self._poll_seconds))

    async def _rounds(self) -> None:
        """Look at everything else again and again."""
        while True:
            await self._each_round()
            await asyncio.sleep(self._poll_seconds)
