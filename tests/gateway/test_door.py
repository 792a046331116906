"""The door refuses only who may know that a lane is full, and nobody that asks for more."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from contracts.errors import Overloaded
from gateway.caller import Scope
from gateway.door import GatewayDoor
from serving.door import Head
from serving.metrics import RequestMetrics
from tests.gateway.fakes import open_gateway
from tests.gateway.routes.test_admission import make_key
from tests.gateway.test_shedding import Hanging, post

PATH = b"/v1/chest-xray/predictions"
HOST = (b"host", b"reader.example")


@asynccontextmanager
async def full_gateway(folder, **changes):
    """A gateway whose only place for chest films is taken."""
    hanging = Hanging()
    async with open_gateway(
        folder, hanging.services, max_concurrency=1, max_waiting=0, **changes
    ) as client:
        first = asyncio.create_task(post(client))
        await hanging.asked.wait()
        yield client
        hanging.go_on.set()
        await first


def door_of(client, *hosts):
    return GatewayDoor(lambda: client.app.state.parts, RequestMetrics(), hosts)


def asking(*headers, method=b"POST", target=PATH):
    return Head(method, target, headers)


async def test_F6_a_full_lane_is_refused_once_its_record_is_written(tmp_path):
    async with full_gateway(tmp_path) as client:
        refusal = door_of(client).look(asking((b"x-request-id", b"mine")))
        assert refusal is not None and not refusal.recorded.done()
        record = await refusal.recorded

    assert isinstance(refusal.answer, Overloaded)
    assert (refusal.request_id, record.request_id) == ("mine", "mine")


@pytest.mark.parametrize(
    "head",
    [
        asking(method=b"GET"),
        asking(target=b"/v1/chest-xray"),
        asking(target=b"/v1/skin-lesion/predictions"),
        asking(target=b"/v1/no-such/predictions"),
        asking(target=b"/v1/chest-xray/predictions/"),
        asking(target=b"/v1/chest%2Dxray/predictions"),
        asking(target="/v1/chest-xräy/predictions".encode()),
        asking((b"origin", b"http://elsewhere")),
        asking((b"traceparent", b"00-1-1-01")),
        asking((b"authorization", b"Basic x")),
        asking((b"x-api-key", b"mf_wrong")),
    ],
)
async def test_everything_else_goes_the_long_way(tmp_path, head):
    async with full_gateway(tmp_path) as client:
        assert door_of(client).look(head) is None


async def test_another_host_name_goes_the_long_way(tmp_path):
    async with full_gateway(tmp_path) as client:
        door = door_of(client, "reader.example")

        assert door.look(asking((b"host", b"other.example"))) is None
        assert door.look(asking(HOST, HOST)) is None
        assert door.look(asking(HOST)) is not None


async def test_only_a_key_that_may_ask_learns_of_the_load(tmp_path):
    async with full_gateway(tmp_path) as client:
        right, _ = await make_key(client)
        wrong_scope, _ = await make_key(client, Scope.METRICS)
        assert door_of(client).look(asking(*raw(right))) is None  # no keys are at hand yet
        await client.get("/v1/predictions/x/receipt", headers=right)
        looks = [
            door_of(client).look(asking(*raw(headers))) is not None
            for headers in (right, wrong_scope, {"x-api-key": right["X-API-Key"][:-1]}, {})
        ]

    assert looks == [True, False, False, False]


def raw(headers):
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


async def test_a_free_lane_lets_in_as_many_as_it_has_room_for(tmp_path):
    hanging = Hanging()
    async with open_gateway(tmp_path, hanging.services, max_concurrency=1, max_waiting=2) as client:
        first = asyncio.create_task(post(client))
        await hanging.asked.wait()
        door = door_of(client)
        let_in = [door.look(asking()) is None for _ in range(4)]
        hanging.go_on.set()
        await first

    assert let_in == [True, True, False, False]
