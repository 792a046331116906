"""What the gateway's port offers: nothing that loads, unloads or fetches a model."""

import pytest

from tests.gateway.fakes import FakeServices, open_gateway

FORBIDDEN = ("load", "reload", "repository", "admin", "config", "shutdown", "train", "checkpoint")
HOSTILE = [
    ("POST", "/v2/repository/models/chest-xray/load"),
    ("POST", "/v2/repository/models/chest-xray/unload"),
    ("POST", "/v2/repository/index"),
    ("POST", "/models?url=http://127.0.0.1/evil.mar"),
    ("PUT", "/models/chest-xray/2"),
    ("DELETE", "/v1/models/chest-xray"),
    ("POST", "/v1/models/chest-xray"),
    ("POST", "/v1/models/chest-xray/reload"),
    ("POST", "/v1/models"),
    ("POST", "/reload"),
    ("POST", "/api/jobs/"),
    ("POST", "/shutdown"),
    ("PATCH", "/model/info"),
]


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


async def test_C10_no_route_changes_a_model(client):
    paths = (await client.get("/openapi.json")).json()["paths"]
    about_models = {method for path in paths if "model" in path for method in paths[path]}

    assert len(paths) > 20
    assert about_models == {"get"}
    assert not [path for path in paths for word in FORBIDDEN if word in path]


@pytest.mark.parametrize(("method", "path"), HOSTILE)
async def test_C10_asking_for_it_is_404_or_405(client, method, path):
    response = await client.request(method, path, json={"url": "http://127.0.0.1/evil.pth"})

    assert response.status_code in (404, 405)
    assert "evil" not in response.text
