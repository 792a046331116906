"""Know which services are ready without asking them while somebody waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Self

from gateway.client import InferenceClient


class ReadinessWatch(AbstractAsyncContextManager["ReadinessWatch"]):
    """Polls `/readyz` of every service; open it with `async with`."""

    def __init__(
        self,
        client: InferenceClient,
        modality_ids: Sequence[str],
        *,
        poll_seconds: float,
        each_round: Callable[[], Awaitable[object]],
    ) -> None:
        """Until the first answer a service counts as not ready.

        `each_round` is awaited after every poll, to look at what else may have come back.
        """
        self._client = client
        self._poll_seconds = poll_seconds
        self._each_round = each_round
        self._task: asyncio.Task[None] | None = None
        self.ready: dict[str, bool] = dict.fromkeys(modality_ids, False)

    async def __aenter__(self) -> Self:
        """Start polling."""
        self._task = asyncio.create_task(self._poll(), name="readiness watch")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Stop polling."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def refresh(self) -> None:
        """Ask every service once, all at the same time."""
        answers = await asyncio.gather(*(self._client.is_ready(name) for name in self.ready))
        self.ready = dict(zip(self.ready, answers, strict=True))

    async def _poll(self) -> None:
        """Ask again and again, with a pause in between."""
        while True:
            await self.refresh()
            await self._each_round()
            await asyncio.sleep(self._poll_seconds)
