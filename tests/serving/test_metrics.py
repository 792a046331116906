from prometheus_client import CollectorRegistry

from serving.metrics import RequestMetrics


async def test_requests_are_counted_by_route_template(app, client):
    @app.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        return {}

    async with client(app) as http:
        for name in ("a", "b", "c"):
            await http.get(f"/things/{name}")
        text = (await http.get("/metrics")).text

    assert 'http_requests_total{method="GET",route="/things/{name}",status="200"} 3.0' in text
    assert 'http_request_seconds_count{route="/things/{name}"} 3.0' in text


async def test_the_prefix_of_a_router_is_part_of_the_template(app, client):
    from fastapi import APIRouter

    router = APIRouter()

    @router.get("/things/{name}")
    async def thing(name: str) -> dict[str, str]:
        return {}

    app.include_router(router, prefix="/v1")
    async with client(app) as http:
        await http.get("/v1/things/a")
        text = (await http.get("/metrics")).text

    assert 'route="/v1/things/{name}"' in text


async def test_F17_unknown_paths_and_methods_do_not_grow_the_metrics(app, client):
    async with client(app) as http:
        await http.request("SPAM", "/x")
        before = len((await http.get("/metrics")).text.splitlines())
        for number in range(50):
            await http.request(f"SPAM{number}", f"/nowhere/{number}")
        after = (await http.get("/metrics")).text

    # One line set for GET /metrics itself appears with its first completed scrape.
    assert len(after.splitlines()) < before + 25
    assert "nowhere" not in after
    assert "SPAM" not in after


async def test_running_requests_come_back_to_zero_after_a_failure(app, client):
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError

    async with client(app) as http:
        await http.get("/boom")
        text = (await http.get("/metrics")).text

    # The scrape itself is running.
    assert "http_requests_running 1.0" in text
    assert 'route="/boom",status="500"} 1.0' in text


def test_two_apps_in_one_process_do_not_share_a_registry():
    first, second = RequestMetrics(), RequestMetrics()

    first.begin()

    assert first.registry is not second.registry
    assert second.registry.get_sample_value("http_requests_running") == 0.0


def test_a_registry_may_be_given():
    registry = CollectorRegistry()

    assert RequestMetrics(registry).registry is registry
