import re

import pytest

from contracts.registry import MODALITIES
from tests.gateway.fakes import FakeServices, open_gateway


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_a_page_names_no_foreign_host_and_holds_no_inline_script(client, page):
    response = await client.get(page)

    assert response.status_code == 200
    assert not re.search(r"https?://", response.text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", response.text)
    assert "script-src 'self';" in response.headers["content-security-policy"]


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
async def test_everything_that_a_page_loads_is_served_here(client, page):
    html = (await client.get(page)).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', html)

    assert len(loaded) >= 3
    for path in loaded:
        response = await client.get(path)
        assert response.status_code == 200, path
        assert len(response.content) > 50


async def test_no_other_file_of_that_folder_is_served(client):
    assert (await client.get("/docs/assets/__init__.py")).status_code == 404
    assert (await client.get("/docs/assets/..%2fcore.py")).status_code == 404


async def test_the_document_describes_uploads_and_only_known_modalities(client):
    document = (await client.get("/openapi.json")).json()
    operation = document["paths"]["/v1/{modality}/predictions"]["post"]
    (path,) = [one for one in operation["parameters"] if one["in"] == "path"]

    assert "multipart/form-data" in operation["requestBody"]["content"]
    assert path["schema"]["enum"] == [modality.id for modality in MODALITIES]
    assert {"Problem", "Prediction"} <= document["components"]["schemas"].keys()


async def test_every_operation_documents_its_errors_as_problems(client):
    document = (await client.get("/openapi.json")).json()
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for operation in operations.values():
            errors = {
                status: one for status, one in operation["responses"].items() if status >= "400"
            }
            assert errors, path
            for one in errors.values():
                assert list(one["content"]) == ["application/problem+json"]
