"""What a person would look at: a PNG of any input, the plot of a record also as SVG."""

import xml.etree.ElementTree as ElementTree

import pytest

from contracts.registry import get_modality
from tests.contracts.wfdb_samples import counts_of, record_zip, synthetic_ecg, wfdb_header
from vision_service.app import create_app

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def ecg(opened, settings_for, tiny_checkpoint_path):
    settings = settings_for(modality="ecg", checkpoint=tiny_checkpoint_path("ecg"))
    return opened(create_app(settings, get_modality("ecg")))


async def test_a_record_is_a_png_unless_an_svg_is_asked_for(ecg):
    payload = record_zip(synthetic_ecg(75))
    async with ecg as http:
        png = await http.post("/render", content=payload)
        svg = await http.post("/render?format=svg", content=payload)

    assert (png.headers["content-type"], svg.headers["content-type"]) == (
        "image/png",
        "image/svg+xml",
    )
    root = ElementTree.fromstring(svg.text)
    assert root.tag == f"{SVG}svg"
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg",
        "rect",
        "path",
        "text",
    }


async def test_an_svg_runs_nothing_wherever_it_is_opened(ecg):
    async with ecg as http:
        answer = await http.post("/render?format=svg", content=record_zip(synthetic_ecg(75)))

    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "script" not in answer.text
    assert "href" not in answer.text


async def test_words_of_a_record_are_not_in_its_svg(ecg):
    signals = synthetic_ecg(75)
    header = wfdb_header(counts_of(signals)) + "# <img src=x> Jane Doe\n"
    payload = record_zip(signals, header=header)
    async with ecg as http:
        answer = await http.post("/render?format=svg", content=payload)

    assert answer.status_code == 200
    assert "Jane" not in answer.text
    assert "<img" not in answer.text


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("png_bytes", 422, "invalid_field"), (None, 415, "unsupported_media_type")],
)
async def test_only_a_record_can_be_an_svg(ecg, request, name, status, code):
    payload = request.getfixturevalue(name) if name else b"no picture"
    async with ecg as http:
        answer = await http.post("/render?format=svg", content=payload)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_damaged_record_is_422_and_another_form_is_refused(ecg):
    payload = record_zip(synthetic_ecg(75))
    async with ecg as http:
        damaged = await http.post("/render?format=svg", content=payload[: len(payload) // 2])
        other = await http.post("/render?format=gif", content=payload)

    assert damaged.status_code == 422
    assert (other.status_code, other.json()["code"]) == (422, "invalid_field")
