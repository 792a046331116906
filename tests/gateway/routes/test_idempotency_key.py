import asyncio
import contextlib
import json

import httpx2
import pytest
from sqlalchemy import select

from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import (
    JPEG_BYTES,
    PNG_BYTES,
    FakeServices,
    open_gateway,
    prediction,
    problem,
)

URL = "/v1/chest-xray/predictions"
KEYED = {"content-type": "image/jpeg", "Idempotency-Key": "try-1"}


@pytest.fixture
def services():
    services = FakeServices()
    services.answers["/predict"] = lambda request: httpx2.Response(
        200, json=prediction(request.content)
    )
    return services


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


async def audit_entries(client):
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.seq))
        return [json.loads(row.body)["entry"] for row in rows]


async def test_the_same_key_and_input_give_the_same_answer_and_the_service_is_asked_once(
    client, services
):
    first = await client.post(URL, content=JPEG_BYTES, headers=KEYED)
    second = await client.post(URL, content=JPEG_BYTES, headers=KEYED)

    assert first.status_code == second.status_code == 200
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert len(services.asked("/predict")) == 1


async def test_a_repeated_answer_is_recorded_as_a_repetition(client):
    first = await client.post(URL, content=JPEG_BYTES, headers=KEYED)
    await client.post(URL, content=JPEG_BYTES, headers=KEYED)

    made, repeated = await audit_entries(client)
    prediction_id = first.json()["prediction_id"]
    assert (made["prediction_id"], made["refers_to"]) == (prediction_id, None)
    assert (repeated["prediction_id"], repeated["refers_to"]) == (None, prediction_id)


@pytest.mark.parametrize("changed", ["input", "options"])
async def test_the_same_key_for_another_question_is_409(client, changed):
    await client.post(URL, content=JPEG_BYTES, headers=KEYED)

    if changed == "input":
        response = await client.post(URL, content=PNG_BYTES, headers=KEYED)
    else:
        response = await client.post(f"{URL}?use_tta=true", content=JPEG_BYTES, headers=KEYED)

    assert (response.status_code, response.json()["code"]) == (409, "idempotency_mismatch")


async def test_a_failure_is_not_kept(client, services):
    good = services.answers["/predict"]
    services.answers["/predict"] = problem(503, "overloaded")
    failed = await client.post(URL, content=JPEG_BYTES, headers=KEYED)
    services.answers["/predict"] = good

    again = await client.post(URL, content=JPEG_BYTES, headers=KEYED)

    assert (failed.status_code, again.status_code) == (503, 200)
    assert "idempotent-replayed" not in again.headers


async def test_F9_a_key_is_free_again_when_its_answer_could_not_be_recorded(client, services):
    database, good = client.app.state.store.database, services.answers["/predict"]
    locked = contextlib.AsyncExitStack()

    async def lock_and_answer(request):
        await locked.enter_async_context(database.writing())
        return good(request)

    services.answers["/predict"] = lock_and_answer
    refused = await client.post(URL, content=JPEG_BYTES, headers=KEYED)
    await locked.aclose()
    services.answers["/predict"] = good
    again = await client.post(URL, content=PNG_BYTES, headers=KEYED)

    assert (refused.status_code, refused.json()["code"]) == (503, "audit_unavailable")
    assert again.status_code == 200
    assert "idempotent-replayed" not in again.headers


async def test_T13_a_caller_that_leaves_gives_its_key_free(client, services):
    good, asked = services.answers["/predict"], asyncio.Event()

    async def never(request):
        asked.set()
        await asyncio.sleep(60)

    services.answers["/predict"] = never
    await leave_once(client.app, asked)
    services.answers["/predict"] = good
    again = await client.post(URL, content=PNG_BYTES, headers=KEYED)

    assert again.status_code == 200
    assert [entry["status"] for entry in await audit_entries(client)] == [499, 200]


async def leave_once(app, asked):
    """Send one keyed question and hang up when the service has it."""
    messages = [{"type": "http.request", "body": JPEG_BYTES, "more_body": False}]

    async def receive():
        if messages:
            return messages.pop()
        await asked.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        raise AssertionError("nobody listens")

    lines = KEYED | {"host": "gateway.test", "content-length": str(len(JPEG_BYTES))}
    await app(
        {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": URL,
            "raw_path": URL.encode(),
            "query_string": b"",
            "headers": [(k.lower().encode(), v.encode()) for k, v in lines.items()],
            "client": ("127.0.0.1", 1),
            "server": ("gateway.test", 80),
            "state": {},
        },
        receive,
        send,
    )


async def test_two_at_once_get_one_answer(client, services):
    good = services.answers["/predict"]

    async def slow(request):
        await asyncio.sleep(0.3)
        return good(request)

    async def ask():
        """Come back while the store is busy, as a client would."""
        while (response := await client.post(URL, content=JPEG_BYTES, headers=KEYED)).is_error:
            assert response.status_code in (409, 503)
        return response

    services.answers["/predict"] = slow
    first, second = await asyncio.gather(ask(), ask())

    assert first.content == second.content
    assert len(services.asked("/predict")) == 1


async def test_a_key_that_is_none_is_422(client, services):
    response = await client.post(
        URL, content=JPEG_BYTES, headers=KEYED | {"Idempotency-Key": "x" * 256}
    )

    assert response.status_code == 422
    assert services.asked("/predict") == []


async def test_two_keys_are_422_as_nobody_knows_which_counts(client, services):
    response = await client.post(
        URL, content=JPEG_BYTES, headers=[*KEYED.items(), ("Idempotency-Key", "try-2")]
    )

    assert response.status_code == 422
    assert response.json()["field"] == "Idempotency-Key"
    assert services.asked("/predict") == []
