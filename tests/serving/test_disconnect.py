import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request

from serving.disconnect import run_while_connected


def a_request(gone: asyncio.Event) -> Request:
    async def receive():
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


async def test_the_result_comes_back():
    async def work():
        return 42

    assert await run_while_connected(a_request(asyncio.Event()), work()) == 42


async def test_an_error_of_the_work_comes_back():
    async def work():
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await run_while_connected(a_request(asyncio.Event()), work())


async def test_T13_the_work_of_a_caller_that_leaves_is_cancelled():
    gone, begun, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    running = asyncio.create_task(run_while_connected(a_request(gone), work()))
    await begun.wait()
    gone.set()

    with pytest.raises(ClientDisconnect):
        await running
    assert ended.is_set()


async def test_when_the_request_is_cancelled_so_is_the_work():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work():
        begun.set()
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    running = asyncio.create_task(run_while_connected(a_request(asyncio.Event()), work()))
    await begun.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert ended.is_set()
