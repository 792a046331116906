"""Every answer has the shape that its clients know, but for the differences that are documented."""

import json

import pytest

from tests.compat.answers import FOLDER, documented
from tests.compat.calls import FACTORS, SYMPTOMS, answer_of
from tests.compat.shape import shape_differences

DIFFERENCES = json.loads((FOLDER / "differences.json").read_text())
PATHS = {
    "analyze-skin": "/analyze/skin",
    "analyze-heart": "/analyze/heart",
    "analyze-breast": "/analyze/breast",
    "analyze-xray": "/analyze/xray",
    "predict-disease": "/predict-disease",
    "predict-heart": "/predict-heart",
    "vision-analyze": "/api/vision/analyze",
}


async def ask(client, name):
    """The answer that stands beside a sample."""
    if name.startswith("health"):
        return (await client.get("/health")).json()
    if name == "model-info":
        return (await client.get("/model/info")).json()
    if name == "predict":
        return await answer_of(client, "/predict", data={"patient_id": "PAT-12345"})
    if name == "predict-simple":
        return await answer_of(client, "/predict", params={"format": "simple"})
    return await answer_of(client, PATHS[name])


@pytest.mark.parametrize("name", sorted(DIFFERENCES))
async def test_an_answer_differs_from_its_sample_only_as_documented(client, name):
    sample = json.loads((FOLDER / f"{name}.json").read_text())

    found = shape_differences(sample, await ask(client, name))

    assert found == DIFFERENCES[name].keys()


def test_every_sample_is_compared():
    samples = {path.stem for path in FOLDER.glob("*.json")} - {"differences"}

    assert samples == DIFFERENCES.keys()


def test_every_difference_in_shape_has_a_row_in_the_document():
    ids = {dev for found in DIFFERENCES.values() for dev in found.values()}

    assert ids <= documented()


def test_every_row_of_the_document_is_quoted_by_a_test():
    tests = "".join(path.read_text() for path in FOLDER.glob("test_*.py"))
    quoted = tests.replace("_", "-")

    assert not [dev for dev in documented() if f"{dev}-" not in quoted]


@pytest.mark.parametrize(
    ("sample", "answer", "found"),
    [
        ({"a": 1}, {"a": 2.5}, set()),
        ({"a": 1}, {}, {"-a"}),
        ({"a": {}}, {"a": {"b": 1}}, {"+a.b"}),
        ({"a": {}}, {"a": None}, {"a: object is null"}),
        ({"a": True}, {"a": 1}, {"a: boolean is number"}),
        ({"a": ["x"]}, {"a": []}, {"a: list is empty"}),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": "1"}]}, {"a[].b: number is string"}),
    ],
    ids=["value", "missing", "added", "null", "retyped", "emptied", "in-a-list"],
)
def test_a_difference_in_shape_is_found(sample, answer, found):
    assert shape_differences(sample, answer) == found


def test_the_requests_are_those_of_the_samples():
    sample = json.loads((FOLDER / "predict-heart.json").read_text())
    values = {name: factor["value"] for name, factor in sample["risk_factors"].items()}

    assert values.items() <= FACTORS.items()
    assert (
        json.loads((FOLDER / "predict-disease.json").read_text())["symptoms_analyzed"]
        == (SYMPTOMS["symptoms"])
    )
