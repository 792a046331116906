"""GET / and GET /health."""

import pytest
from starlette.responses import HTMLResponse

from gateway.about import NAME, VERSION
from gateway.compat.about import prefers_html
from tests.compat.answers import Services
from tests.gateway.fakes import open_gateway

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


async def test_DEV_ROOT_1_the_root_says_what_this_is_and_where_to_go(client):
    response = await client.get("/")

    body = response.json()
    assert body.keys() == {"name", "version", "docs", "modalities", "health", "disclaimer"}
    assert (body["name"], body["version"]) == (NAME, VERSION)
    for name in ("docs", "modalities", "health"):
        assert (await client.get(body[name])).status_code == 200
    assert response.headers["vary"] == "Accept"


async def test_DEV_ROOT_1_a_browser_gets_the_page_where_there_is_one(own):
    async def page(request):
        return HTMLResponse("<title>page</title>")

    own.app.state.page = page

    assert "page" in (await own.get("/", headers={"accept": BROWSER})).text
    assert (await own.get("/", headers={"accept": "*/*"})).json()["name"] == NAME


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("Text/HTML; q=0.5, */*", True),
        ("application/json, text/html;q=0.5", False),
        ("*/*", False),
        ("", False),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
    ],
)
def test_a_page_is_for_those_who_ask_for_it(accept, html):
    assert prefers_html(accept) is html


async def test_DEV_HEALTH_1_one_body_for_two_clients(client):
    body = (await client.get("/health")).json()

    assert (body["status"], body["api_version"], body["model_loaded"]) == ("healthy", VERSION, True)
    assert not {"tensorflow", "pil"} & body.keys()


async def test_DEV_HEALTH_2_every_modality_has_its_earlier_name(client):
    assert (await client.get("/health")).json()["models"] == dict.fromkeys(
        ("skin_cancer", "heart_image", "breast_cancer", "pneumonia", "disease", "heart_risk"), True
    )


async def test_DEV_HEALTH_3_what_is_not_ready_is_degraded_and_still_200(tmp_path):
    services = Services()
    services.ready = False
    async with open_gateway(tmp_path, services) as client:
        response = await client.get("/health")

    assert response.status_code == 200
    assert (response.json()["status"], response.json()["model_loaded"]) == ("degraded", False)
