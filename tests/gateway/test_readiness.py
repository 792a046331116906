import asyncio
import time

import pytest

from gateway.draining import DrainGate
from gateway.readiness import ReadinessWatch

NAMES = ["ecg", "symptoms"]


class FakeClient:
    """Services of which those in `up` are ready, and those in `silent` never answer."""

    def __init__(self):
        self.up = {"ecg"}
        self.silent = set()
        self.gates = {name: DrainGate() for name in NAMES}
        self.polls = {name: asyncio.Semaphore(0) for name in NAMES}

    async def is_ready(self, modality):
        self.polls[modality].release()
        if modality in self.silent:
            await asyncio.Event().wait()
        return modality in self.up

    async def polled(self, count=2):
        """Wait until every service was asked so often from now on."""
        for polls in self.polls.values():
            while not polls.locked():
                await polls.acquire()
            for _ in range(count):
                await polls.acquire()


@pytest.fixture
def client():
    return FakeClient()


def watch_of(client, poll_seconds=0.001, each_round=lambda: asyncio.sleep(0)):
    return ReadinessWatch(client, NAMES, poll_seconds=poll_seconds, each_round=each_round)


def test_before_the_first_answer_nothing_is_ready(client):
    assert watch_of(client).ready == {"ecg": False, "symptoms": False}


async def test_a_service_is_seen_to_come_and_go(client):
    async with watch_of(client) as watch:
        await client.polled()
        assert watch.ready == {"ecg": True, "symptoms": False}

        client.up = {"symptoms"}
        await client.polled(3)

        assert watch.ready == {"ecg": False, "symptoms": True}


async def test_what_else_may_have_come_back_is_looked_at_again_and_again(client):
    rounds = asyncio.Semaphore(0)

    async def each_round():
        rounds.release()

    async with watch_of(client, each_round=each_round), asyncio.timeout(20):
        for _ in range(3):
            await rounds.acquire()


async def test_a_service_that_never_answers_keeps_no_other_from_being_polled(client):
    client.silent = {"symptoms"}
    async with watch_of(client), asyncio.timeout(20):
        for _ in range(3):
            await client.polls["ecg"].acquire()


async def test_F8_a_service_that_restarts_is_polled_more_often(client):
    client.gates["ecg"].close()
    started = time.monotonic()
    async with watch_of(client, poll_seconds=60), asyncio.timeout(20):
        for _ in range(3):
            await client.polls["ecg"].acquire()

    assert time.monotonic() - started > 0.4
    assert client.polls["symptoms"]._value == 1


async def test_polling_ends_with_the_block(client):
    async with watch_of(client):
        await client.polled()

    assert "readiness watch" not in {task.get_name() for task in asyncio.all_tasks()}
