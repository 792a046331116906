"""What is refused before it is routed looks like what the route itself refuses."""

import asyncio
import json

import httpx2
import pytest
from sqlalchemy import select

from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import JPEG_BYTES, FakeServices, open_gateway, prediction

JPEG = {"content-type": "image/jpeg"}


class Hanging:
    """Services that answer a chest film when they are told to."""

    def __init__(self):
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()
        self.services = FakeServices()
        self.services.answers["chest-xray", "/predict"] = self.answer

    async def answer(self, request):
        self.asked.set()
        await self.go_on.wait()
        body = prediction(request.content, "chest-xray", outcome="abstained", label=None)
        return httpx2.Response(200, json=body | {"probabilities": {}})


def post(client, modality="chest-xray", what="predictions"):
    return client.post(f"/v1/{modality}/{what}", content=JPEG_BYTES, headers=JPEG)


async def audited(client):
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.seq))
        return [json.loads(row.body)["entry"] for row in rows]


@pytest.mark.parametrize("what", ["predictions", "explanations", "renderings", "reports"])
async def test_a_full_lane_refuses_every_question_without_asking_the_service(tmp_path, what):
    hanging = Hanging()
    async with open_gateway(tmp_path, hanging.services, max_concurrency=1, max_waiting=0) as client:
        first = asyncio.create_task(post(client))
        await hanging.asked.wait()
        refused = await post(client, what=what)
        elsewhere = await post(client, "skin-lesion")
        hanging.go_on.set()
        answered = await first
        entries = await audited(client)

    assert refused.status_code == 503
    assert refused.json()["code"] == "overloaded"
    assert int(refused.headers["retry-after"]) >= 1
    assert (answered.status_code, elsewhere.status_code) == (200, 200)
    assert len(hanging.services.requests) == 2
    assert (entries[0]["route"], entries[0]["modality"], entries[0]["error_code"]) == (
        f"POST /v1/{{modality}}/{what}",
        "chest-xray",
        "overloaded",
    )


async def test_F6_a_full_lane_refuses_before_anything_of_the_request_is_looked_at(tmp_path):
    hanging = Hanging()
    async with open_gateway(tmp_path, hanging.services, max_concurrency=1, max_waiting=0) as client:
        first = asyncio.create_task(post(client))
        await hanging.asked.wait()
        full = await post(client, what="predictions?nonsense=1")
        hanging.go_on.set()
        await first
        free = await post(client, what="predictions?nonsense=1")

    assert (full.status_code, free.status_code) == (503, 422)


async def test_while_a_lane_is_full_its_model_can_still_be_read_about(tmp_path):
    hanging = Hanging()
    async with open_gateway(tmp_path, hanging.services, max_concurrency=1, max_waiting=0) as client:
        first = asyncio.create_task(post(client))
        await hanging.asked.wait()
        facts = await client.get("/v1/models")
        unknown = await post(client, "no-such-modality")
        hanging.go_on.set()
        await first

    assert (facts.status_code, unknown.status_code) == (200, 404)
