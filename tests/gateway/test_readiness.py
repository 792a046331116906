import asyncio

import pytest

from gateway.readiness import ReadinessWatch


class FakeClient:
    """Services of which those in `up` are ready."""

    def __init__(self):
        self.up = {"ecg"}

    async def is_ready(self, modality):
        return modality in self.up


@pytest.fixture
def client():
    return FakeClient()


@pytest.fixture
def rounds():
    """Released once after every poll."""
    return asyncio.Semaphore(0)


@pytest.fixture
def watch(client, rounds):
    async def each_round():
        rounds.release()

    return ReadinessWatch(client, ["ecg", "symptoms"], poll_seconds=0.001, each_round=each_round)


async def test_before_the_first_answer_nothing_is_ready(watch):
    assert watch.ready == {"ecg": False, "symptoms": False}


async def test_a_service_is_seen_to_come_and_go(watch, client, rounds):
    async with watch:
        await rounds.acquire()
        assert watch.ready == {"ecg": True, "symptoms": False}

        client.up = {"symptoms"}
        await rounds.acquire()
        await rounds.acquire()

        assert watch.ready == {"ecg": False, "symptoms": True}


async def test_polling_ends_with_the_block(watch, rounds):
    async with watch:
        await rounds.acquire()

    assert "readiness watch" not in {task.get_name() for task in asyncio.all_tasks()}
