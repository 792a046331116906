"""What leaves the gateway compressed, and what never does."""

import pytest

from tests.gateway.fakes import JPEG_BYTES, FakeServices, open_gateway

PUBLIC = ["/ui", "/v1/modalities", "/v1/symptoms", "/static/page/main.js", "/static/page/page.css"]
GZIP = {"accept-encoding": "gzip"}


@pytest.fixture
async def client(tmp_path):
    async with open_gateway(tmp_path, FakeServices()) as client:
        yield client


@pytest.mark.parametrize("path", PUBLIC)
async def test_what_the_page_needs_is_compressed_for_who_accepts_it(client, path):
    packed = await client.get(path, headers=GZIP)
    plain = await client.get(path, headers={"accept-encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.content == plain.content
    assert "content-encoding" not in plain.headers
    assert int(packed.headers["content-length"]) < 0.6 * len(plain.content)


async def test_an_answer_to_an_input_is_never_compressed(client):
    headers = GZIP | {"content-type": "image/jpeg"}
    answer = await client.post("/v1/chest-xray/predictions", content=JPEG_BYTES, headers=headers)

    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("path", ["/health", "/v1/models/chest-xray/card"])
async def test_other_answers_are_as_they_were(client, path):
    assert "content-encoding" not in (await client.get(path, headers=GZIP)).headers


async def test_a_compressed_file_that_has_not_changed_is_not_sent_again(client):
    first = await client.get("/static/page/main.js", headers=GZIP)
    tag = first.headers["etag"]
    again = await client.get("/static/page/main.js", headers=GZIP | {"if-none-match": tag})

    assert tag.startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag


@pytest.mark.parametrize("encoding", ["gzip", "identity"])
async def test_a_file_that_may_be_compressed_is_never_sent_in_parts(client, encoding):
    accept = {"accept-encoding": encoding}
    whole = await client.get("/static/page/main.js", headers=accept)
    for extra in ({}, {"if-range": whole.headers["last-modified"]}):
        part = await client.get(
            "/static/page/main.js", headers=accept | extra | {"range": "bytes=100-900"}
        )

        assert (part.status_code, part.content) == (200, whole.content)
        assert "content-range" not in part.headers
        assert part.headers["accept-ranges"] == "none"
