import asyncio
import time

from prometheus_client import CollectorRegistry

from serving.lag import LoopLag


def value(registry, name):
    return registry.get_sample_value(name)


async def test_F15_what_blocks_the_event_loop_is_measured():
    registry = CollectorRegistry()
    async with LoopLag(registry, interval_seconds=0.01).watched():
        await asyncio.sleep(0.03)
        time.sleep(0.2)  # noqa: ASYNC251 - the fault itself
        await asyncio.sleep(0.05)

    assert 0.15 < value(registry, "event_loop_lag_max_seconds") < 5
    assert value(registry, "event_loop_lag_seconds") >= 0


async def test_F15_every_process_shows_the_lag_of_its_loop(app, client):
    async with client(app) as http:
        metrics = (await http.get("/metrics")).text

    assert "event_loop_lag_seconds 0.0" in metrics
    assert "event_loop_lag_max_seconds 0.0" in metrics
