"""Quotas: in memory, in a real or simulated Redis, and without it when it is gone."""

import asyncio
import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import time_machine

from gateway.quotas import Allowance, QuotaExceeded, Quotas


async def test_requests_beyond_the_limit_are_refused_with_the_time_to_come_back():
    async with Quotas(2) as quotas:
        assert await quotas.spend("a") == Allowance(2, 1, 60)
        assert (await quotas.spend("a")).remaining == 0
        with pytest.raises(QuotaExceeded) as refusal:
            await quotas.spend("a")
        assert (await quotas.spend("b")).remaining == 1

    assert refusal.value.status == 429
    assert refusal.value.retry_after_seconds == 60
    assert refusal.value.allowance.headers() == {
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "60",
        "RateLimit-Policy": "2;w=60",
    }


async def test_a_key_may_have_its_own_limit_and_zero_means_none():
    async with Quotas(0) as quotas:
        assert await quotas.spend("a") is None
        assert (await quotas.spend("a", 5)).limit == 5


@pytest.mark.parametrize("jump", [-3600, 24 * 3600])
async def test_F10_a_jump_of_the_wall_clock_changes_no_quota(jump):
    moment = 1_790_000_000
    async with Quotas(1) as quotas:
        with time_machine.travel(moment, tick=False):
            await quotas.spend("a")
        with (
            time_machine.travel(moment + jump, tick=False),
            pytest.raises(QuotaExceeded) as refusal,
        ):
            await quotas.spend("a")

    assert 1 <= refusal.value.retry_after_seconds <= 60


async def test_F11_an_absent_redis_costs_a_quarter_second_once_and_then_nothing(tmp_path):
    async with Quotas(2, shared_url=f"redis+unix://{tmp_path}/none") as quotas:
        started = time.monotonic()
        first = await quotas.spend("a")
        once = time.monotonic() - started
        second = await quotas.spend("a")

        assert not quotas.is_shared
        with pytest.raises(QuotaExceeded):
            await quotas.spend("a")
    assert once < 1
    assert (first.remaining, second.remaining) == (1, 0)


async def test_F11_a_redis_that_accepts_and_never_answers_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        async with Quotas(2, shared_url=f"redis://127.0.0.1:{port}") as quotas:
            started = time.monotonic()
            await quotas.spend("a")
            waited = time.monotonic() - started

    assert waited < 1


async def test_F11_a_count_in_redis_is_bounded_as_a_whole(monkeypatch):
    async def endless(*_):
        await asyncio.Event().wait()

    monkeypatch.setattr("gateway.quotas._hit_shared", endless)
    async with Quotas(2, shared_url="redis://127.0.0.1:1") as quotas:
        async with asyncio.timeout(5):
            allowance = await quotas.spend("a")

        assert allowance.remaining == 1
        assert not quotas.is_shared


async def test_F11_a_redis_that_is_back_is_used_again_after_the_pause(tmp_path):
    now = [0.0]
    path = tmp_path / "redis"
    async with Quotas(5, shared_url=f"redis+unix://{path}", clock=lambda: now[0]) as quotas:
        await quotas.spend("a")
        assert not quotas.is_shared

        now[0] += 5.1
        assert quotas.is_shared


@contextlib.contextmanager
def redis_server():
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        pytest.skip("no Redis or Valkey server is installed")
    with tempfile.TemporaryDirectory(prefix="mfrd-") as folder:
        path = Path(folder) / "socket"
        arguments = [program, "--port", "0", "--unixsocket", str(path), "--save", ""]
        with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, cwd=folder) as process:
            deadline = time.monotonic() + 30
            while not path.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            try:
                yield path, process
            finally:
                process.kill()


@pytest.mark.redis
async def test_two_gateways_share_one_quota_through_redis():
    with redis_server() as (path, _):
        url = f"redis+unix://{path}"
        one = Quotas(3, shared_url=url, store_timeout_seconds=20)
        two = Quotas(3, shared_url=url, store_timeout_seconds=20)
        async with one, two:
            left = [await gateway.spend("a") for gateway in (one, two, one)]
            with pytest.raises(QuotaExceeded):
                await two.spend("a")

            assert [allowance.remaining for allowance in left] == [2, 1, 0]
            assert one.is_shared
            assert two.is_shared


@pytest.mark.redis
async def test_F11_a_redis_killed_at_work_lets_requests_through_by_the_local_bucket():
    with redis_server() as (path, process):
        url = f"redis+unix://{path}"
        async with Quotas(3, shared_url=url, store_timeout_seconds=20) as quotas:
            assert (await quotas.spend("a")).remaining == 2
            process.kill()
            process.wait()

            assert (await quotas.spend("a")).remaining == 2
            assert not quotas.is_shared


async def test_spending_at_the_same_time_never_exceeds_the_limit():
    async with Quotas(10) as quotas:
        results = await asyncio.gather(
            *(quotas.spend("a") for _ in range(50)), return_exceptions=True
        )

    assert sum(isinstance(result, Allowance) for result in results) == 10
