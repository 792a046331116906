"""Admission through the API: closed by default, scoped, counted, and before the body is read."""

import pytest
from sqlalchemy import select

from gateway.admission import is_public
from gateway.app import create_app
from gateway.caller import ALL_SCOPES, Scope
from gateway.keyring import PEPPER_FILE, load_keyring
from gateway.keys import KeyStore
from gateway.tables import AUDIT_RECORDS
from serving.secrets import BadSecret
from tests.gateway.fakes import (
    JPEG_BYTES,
    STRONG_TOKEN,
    FakeServices,
    open_gateway,
    settings_for,
)

URL = "/v1/chest-xray/predictions"
JPEG = {"content-type": "image/jpeg"}


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


async def make_key(client, *scopes, **options):
    store = client.app.state.store
    made = await KeyStore(store.database).make("t", frozenset(scopes) or ALL_SCOPES, **options)
    store.authenticator._read_at = None  # do not wait for the refresh
    return {"X-API-Key": made.clear}, made.stored.id


async def post(client, url=URL, headers=None, content=JPEG_BYTES):
    return await client.post(url, content=content, headers=JPEG | (headers or {}))


async def callers(client):
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS).order_by(AUDIT_RECORDS.c.seq))
        return [row.caller for row in rows]


async def test_loopback_without_keys_is_open_and_with_the_first_key_closed(client):
    assert (await post(client)).status_code == 200
    headers, key_id = await make_key(client)

    refused = await post(client)
    assert (await post(client, headers=headers)).status_code == 200

    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["code"] == "unauthorized"
    assert await callers(client) == ["local", "unknown", key_id]


async def test_a_key_without_the_scope_is_403(client):
    headers, _ = await make_key(client, Scope.PREDICT)

    assert (await post(client, headers=headers)).status_code == 200
    for path in ("/v1/chest-xray/explanations", "/v1/chest-xray/renderings"):
        assert (await post(client, path, headers)).status_code == 403
    receipt = await client.get(f"/v1/predictions/{'0' * 32}/receipt", headers=headers)
    assert receipt.status_code == 403
    assert (await client.get("/metrics", headers=headers)).status_code == 403


async def test_a_request_without_a_key_is_answered_before_its_body_is_read(client):
    await make_key(client)
    events = []

    async def receive():
        events.append("read")
        return {"type": "http.request", "body": JPEG_BYTES, "more_body": False}

    async def send(message):
        events.append(message.get("status", "body"))

    headers = [(b"host", b"gateway.test"), (b"content-length", b"%d" % len(JPEG_BYTES))]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": URL,
        "raw_path": URL.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    await client.app(scope, receive, send)

    assert events[:2] == [401, "body"]


async def test_what_is_not_named_public_needs_a_key_on_every_route_of_the_document(client):
    await make_key(client)
    document = (await client.get("/openapi.json")).json()
    open_routes = set()
    for template, operations in document["paths"].items():
        path = template.replace("{modality}", "chest-xray").replace("{prediction_id}", "0" * 32)
        for method in operations:
            response = await client.request(method.upper(), path)
            if response.status_code != 401:
                open_routes.add(f"{method} {template}")

    assert {route.split(" ")[0] for route in open_routes} <= {"get"}
    assert all(is_public("GET", route.split(" ")[1]) for route in open_routes)
    assert not is_public("POST", "/health")
    assert not is_public("GET", "/v1/predictions/x/receipt")
    assert (await client.get("/no/such/route")).status_code == 401
    assert (await client.get("/metrics")).status_code == 401


async def test_the_quota_is_told_and_then_enforced(tmp_path):
    async with open_gateway(tmp_path, FakeServices(), requests_per_minute=2) as client:
        first, second, third = [await post(client) for _ in range(3)]

        assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == (
            "2",
            "1",
        )
        assert second.headers["ratelimit-remaining"] == "0"
        assert third.status_code == 429
        assert third.json()["code"] == "rate_limited"
        assert 1 <= int(third.headers["retry-after"]) <= 60
        assert third.headers["ratelimit-remaining"] == "0"
        assert (await client.get("/livez")).status_code == 200


async def test_each_key_has_its_own_quota(client):
    slow, _ = await make_key(client, requests_per_minute=1)
    free, _ = await make_key(client)

    assert (await post(client, headers=slow)).status_code == 200
    assert (await post(client, headers=slow)).status_code == 429
    assert (await post(client, headers=free)).status_code == 200


async def test_guessing_keys_is_counted_by_address(tmp_path):
    async with open_gateway(tmp_path, FakeServices(), requests_per_minute=2) as client:
        statuses = [
            (await post(client, headers={"X-API-Key": f"mf_{n}_x"})).status_code for n in range(3)
        ]

    assert statuses == [401, 401, 429]


async def test_forwarded_addresses_count_only_from_a_trusted_proxy(tmp_path):
    async def statuses(folder, **settings):
        async with open_gateway(
            folder, FakeServices(), requests_per_minute=1, **settings
        ) as client:
            return [
                (await post(client, headers={"X-Forwarded-For": f"203.0.113.{n}"})).status_code
                for n in range(2)
            ]

    assert await statuses(tmp_path / "a") == [200, 429]
    assert await statuses(tmp_path / "b", trusted_proxies=("127.0.0.1",)) == [200, 200]


async def test_a_gateway_beyond_loopback_needs_its_secrets_and_then_a_key(tmp_path):
    beyond = {"host": "0.0.0.0", "internal_token": STRONG_TOKEN}
    app = create_app(settings_for(tmp_path, **beyond), transport=FakeServices().transport)
    with pytest.raises(BadSecret, match=PEPPER_FILE):
        async with app.router.lifespan_context(app):
            pass

    load_keyring(tmp_path, may_create=True)
    async with open_gateway(tmp_path, FakeServices(), **beyond) as client:
        assert (await post(client)).status_code == 401
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize("token", [None, "", "changeme"])
async def test_a_weak_internal_token_or_none_stops_the_start_beyond_loopback(tmp_path, token):
    load_keyring(tmp_path, may_create=True)
    settings = settings_for(tmp_path, host="0.0.0.0", internal_token=token)
    app = create_app(settings, transport=FakeServices().transport)

    with pytest.raises(BadSecret, match="internal token"):
        async with app.router.lifespan_context(app):
            pass
