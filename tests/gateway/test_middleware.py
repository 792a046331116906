"""Which middleware lies around the routes follows from the settings."""

from tests.gateway.fakes import FakeServices, open_gateway

URL = "/v1/chest-xray/predictions"
ORIGIN = "https://ward.example"


async def test_no_origin_is_allowed_unless_it_is_listed(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        response = await client.get("/health", headers={"Origin": ORIGIN})

    assert "access-control-allow-origin" not in response.headers


async def test_a_listed_origin_is_allowed_and_another_is_not(tmp_path):
    preflight = {"Access-Control-Request-Method": "POST"}
    async with open_gateway(tmp_path, FakeServices(), cors_origins=(ORIGIN,)) as client:
        listed = await client.options(URL, headers=preflight | {"Origin": ORIGIN})
        other = await client.options(URL, headers=preflight | {"Origin": "https://evil.example"})

    assert listed.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-origin" not in other.headers


async def test_a_foreign_host_name_is_refused_where_names_are_configured(tmp_path):
    async with open_gateway(tmp_path, FakeServices(), trusted_hosts=("our.example",)) as client:
        ours = await client.get("/health", headers={"Host": "our.example"})
        foreign = await client.get("/health", headers={"Host": "evil.example"})

    assert (ours.status_code, foreign.status_code) == (200, 400)
    assert foreign.json()["code"] == "unknown_host"
