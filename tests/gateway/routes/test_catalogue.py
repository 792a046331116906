import tomllib
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from contracts.modality import Term
from contracts.registry import MODALITIES, get_modality
from gateway.about import VERSION
from gateway.app import create_app
from tests.gateway.fakes import BASE, JPEG_BYTES, FakeServices, open_gateway, settings_for


@pytest.fixture
def services():
    return FakeServices()


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


async def get(client, path):
    response = await client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


async def test_every_modality_is_listed_with_what_it_takes(client):
    listed = {entry["id"]: entry for entry in (await get(client, "/v1/modalities"))["modalities"]}

    assert list(listed) == [modality.id for modality in MODALITIES]
    assert listed["ecg"]["max_files"] == 2
    assert listed["ecg"]["multiple_labels"] is True
    assert listed["skin-lesion"]["derived"] == {
        "malignant_or_premalignant": ["akiec", "bcc", "mel"]
    }
    assert listed["chest-xray"]["limits"]["max_bytes"] == 32 * 1024 * 1024
    assert "max_pixels" not in listed["heart-risk"]["limits"]
    assert "renderings" not in listed["symptoms"]["routes"]


async def test_the_columns_of_a_table_are_listed_with_unit_and_range(client):
    table = get_modality("heart-risk").table
    if table is None:
        pytest.skip("heart-risk has no columns in the registry")
    listed = {entry["id"]: entry for entry in (await get(client, "/v1/modalities"))["modalities"]}

    columns = listed["heart-risk"]["columns"]

    assert [column["name"] for column in columns] == [column.name for column in table.columns]


async def test_models_are_listed_as_the_services_state_them(client, services):
    services.answers["ecg", "/model"] = httpx2.Response(500)

    models = {entry["modality"]: entry for entry in (await get(client, "/v1/models"))["models"]}

    assert models["chest-xray"]["model"]["sha256"] == "0" * 64
    assert models["ecg"] == {"modality": "ecg", "ready": False, "model": None}


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("json", "application/json"), ("markdown", "text/markdown"), ("html", "text/html")],
)
async def test_a_card_is_passed_on_in_the_form_asked_for(client, services, form, media_type):
    services.answers["/model/card"] = httpx2.Response(200, content=b"the card")

    response = await client.get(f"/v1/models/ecg/card?format={form}")

    assert response.content == b"the card"
    assert response.headers["content-type"].partition(";")[0] == media_type
    assert dict(services.asked("/model/card")[0].url.params) == {"format": form}


async def test_a_card_page_may_run_no_script(client, services):
    services.answers["/model/card"] = httpx2.Response(200, content=b"<script>alert(1)</script>")

    response = await client.get("/v1/models/ecg/card?format=html")

    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


async def test_a_card_in_an_unknown_form_is_422(client):
    assert (await client.get("/v1/models/ecg/card?format=pdf")).status_code == 422


async def test_symptoms_are_listed_with_names_and_synonyms(tmp_path, services):
    term = Term("cough", "Cough", ("coughing",))
    symptoms = replace(get_modality("symptoms"), vocabulary=(term,))
    app = create_app(settings_for(tmp_path), services.transport, modalities=(symptoms,))

    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            body = await get(client, "/v1/symptoms")

    assert body == {"symptoms": [{"id": "cough", "name": "Cough", "synonyms": ["coughing"]}]}


async def test_a_new_image_modality_is_served_without_new_code(tmp_path, services):
    seventh = replace(get_modality("chest-xray"), id="knee-mri", title="Knee MRI")
    app = create_app(settings_for(tmp_path), services.transport, modalities=(*MODALITIES, seventh))

    async with app.router.lifespan_context(app):
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as client:
            response = await client.post(
                "/v1/knee-mri/predictions",
                content=JPEG_BYTES,
                headers={"content-type": "image/jpeg"},
            )

    assert response.status_code == 200
    assert services.requests[-1].url == "http://knee-mri:8000/predict"


async def test_health_names_each_modality_for_old_and_new_clients(client, services):
    body = await get(client, "/health")

    assert body["status"] == "healthy"
    assert body["model_loaded"] is True
    assert body["models"] == dict.fromkeys(
        ["skin_cancer", "heart_image", "breast_cancer", "pneumonia", "disease", "heart_risk"], True
    )
    assert body["modalities"]["ecg"] == {"ready": True, "breaker": "closed"}

    services.ready = False
    await client.app.state.parts.watch.refresh()
    body = await get(client, "/health")
    assert (body["status"], body["model_loaded"]) == ("degraded", False)


async def test_F14_the_gateway_stays_ready_when_services_are_not(client, services):
    services.ready = False
    await client.app.state.parts.watch.refresh()

    assert (await client.get("/readyz")).status_code == 200
    assert (await client.get("/livez")).status_code == 200


async def test_F14_without_an_audit_store_the_gateway_is_not_ready(client):
    client.app.state.store.audit.available = False

    response = await client.get("/readyz")

    assert (response.status_code, response.json()["reason"]) == (503, "audit_unavailable")
    assert (await client.get("/livez")).status_code == 200


async def test_metrics_name_routes_by_template_and_never_by_path(client):
    for number in range(20):
        await client.post(f"/v1/canary{number}/predictions", content=b"")
        await client.get(f"/canary{number}")

    text = (await client.get("/metrics")).text

    assert "canary" not in text
    assert 'route="/v1/{modality}/predictions"' in text
    assert "gateway_breaker" in text


@pytest.mark.parametrize("path", ["/v1/modalities", "/v1/models", "/v1/symptoms"])
async def test_lists_take_no_query(client, path):
    assert (await client.get(f"{path}?page=2")).status_code == 422


def test_the_version_shown_is_the_version_of_the_package():
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]

    assert project["version"] == VERSION
