import pytest
from pydantic import ValidationError

from gateway.app import create_app
from gateway.keyring import PEPPER_FILE
from serving.secrets import BadSecret
from tests.gateway.fakes import JPEG_BYTES, STRONG_TOKEN, FakeServices, open_gateway, settings_for

URL = "/v1/chest-xray/predictions"
JPEG = {"content-type": "image/jpeg"}


async def test_only_the_modalities_with_an_upstream_are_offered(tmp_path):
    upstreams = {"ecg": "http://ecg.internal:9000"}
    services = FakeServices()
    async with open_gateway(tmp_path, services, upstreams=upstreams) as client:
        missing = await client.post(URL, content=JPEG_BYTES, headers=JPEG)
        there = await client.post("/v1/ecg/predictions", content=JPEG_BYTES, headers=JPEG)

    assert (missing.status_code, there.status_code) == (404, 200)
    assert services.requests[0].url == "http://ecg.internal:9000/predict"


def test_an_upstream_of_no_modality_stops_the_start(tmp_path):
    with pytest.raises(ValueError, match="knee"):
        create_app(settings_for(tmp_path, upstreams={"knee": "http://k"}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"upstreams": {"ecg": "ecg:8000"}},
        {"cors_origins": ("*",), "cors_credentials": True},
        {"port": 70000},
        {"deadline_seconds": 0},
    ],
)
def test_settings_that_cannot_be_right_are_refused(tmp_path, wrong):
    with pytest.raises(ValidationError):
        settings_for(tmp_path, **wrong)


async def test_beyond_loopback_the_secrets_must_have_been_put_there(tmp_path):
    settings = settings_for(tmp_path, host="0.0.0.0", internal_token=STRONG_TOKEN)
    app = create_app(settings, FakeServices().transport)
    with pytest.raises(BadSecret, match=PEPPER_FILE):
        async with app.router.lifespan_context(app):
            pytest.fail("the gateway started")


async def test_every_answer_carries_the_security_headers(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        for path in ("/health", "/nowhere", "/docs"):
            headers = (await client.get(path)).headers
            assert headers["x-content-type-options"] == "nosniff"
            assert "default-src 'none'" in headers["content-security-policy"]


async def test_T14_no_header_moves_a_request_to_another_route(tmp_path):
    services = FakeServices()
    async with open_gateway(tmp_path, services) as client:
        for headers in (
            {"Host": "x/health?"},
            {"X-Forwarded-Path": "/health"},
            {"X-Original-URL": "/health"},
            {"X-HTTP-Method-Override": "GET"},
        ):
            response = await client.post("/v1/none/predictions", content=b"", headers=headers)
            assert response.status_code == 404


async def test_an_unforeseen_fault_tells_the_request_id_and_nothing_else(tmp_path):
    services = FakeServices()

    def fail(request):
        raise RuntimeError("canary 4711")

    services.answers["/predict"] = fail
    async with open_gateway(tmp_path, services) as client:
        response = await client.post(
            URL, content=JPEG_BYTES, headers=JPEG | {"X-Request-ID": "quote-me"}
        )

    assert response.status_code == 500
    assert response.json()["request_id"] == "quote-me"
    assert "canary" not in response.text
