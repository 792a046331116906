"""An input finds its modality by what it is; an image is left to the gateway's models."""

import pytest

from client.catalogue import Column, ModalityEntry
from client.errors import UnusableInput
from client.inputs import JSON, ZIP, Input
from client.routing import modality_for


def entry(name, media_type, *required):
    columns = [Column(name=column, required=True) for column in required]
    return ModalityEntry(
        id=name, title="", kind="", ready=True, media_types=[media_type], columns=columns
    )


OFFERED = [entry("ecg", ZIP), entry("symptoms", JSON), entry("heart-risk", JSON, "age", "sex")]


@pytest.mark.parametrize(
    ("source", "modality"),
    [
        ({"age": 58}, "heart-risk"),
        ({"symptoms": ["chills"]}, "symptoms"),
        (b"PK\x03\x04", "ecg"),
        (b"\xff\xd8\xff", None),
    ],
)
def test_the_kind_of_an_input_names_its_modality(source, modality):
    assert modality_for(Input.of(source), OFFERED) == modality


@pytest.mark.parametrize("source", [{"weight": 80}, {}, {"age": 58, "symptoms": []}])
def test_a_row_that_fits_none_or_several_is_asked_about(source):
    with pytest.raises(UnusableInput, match="--modality"):
        modality_for(Input.of(source), OFFERED)


def test_what_only_looks_like_json_is_refused():
    with pytest.raises(UnusableInput, match="no valid JSON"):
        modality_for(Input.of(b"{nonsense"), OFFERED)
