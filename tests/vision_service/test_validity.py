from dataclasses import replace

import pytest
import torch

from contracts.network import Output
from contracts.schemas import Outcome, Prediction
from contracts.validity import validity_of
from serving.timing import Stopwatch
from vision_service.answer import Options, judged
from vision_service.prepare import prepare
from vision_service.validity import recognise_input

KINDS = ["chest-xray", "skin-lesion", "other"]


def statistics(bias):
    """Statistics that ignore the features: the head says what `bias` says, distances are small."""
    tensors = {
        "head.mean": torch.zeros(1280),
        "head.scale": torch.ones(1280),
        "head.weight": torch.zeros(3, 1280),
        "head.bias": torch.tensor(bias),
        "distance.scale": torch.ones(4),
    }
    for layer, size in (("middle", 112), ("penultimate", 1280)):
        tensors[f"{layer}.mean"] = torch.zeros(size)
        tensors[f"{layer}.scale"] = torch.full((size,), 1e6)
        tensors[f"{layer}.basis"] = torch.zeros(2, size)
        tensors[f"{layer}.variance"] = torch.ones(2)
    return tensors


@pytest.fixture
def answer(torch_model, png_bytes):
    """Return the answer of a model with these statistics."""

    def ask(bias, **numbers) -> Prediction:
        limits = {"own_minimum": 0.1, "reject_distance": 9.0, "doubt_distance": 5.0} | numbers
        release = replace(torch_model.checkpoint.release, validity={"kinds": KINDS, **limits})
        checkpoint = replace(torch_model.checkpoint, release=release, validity=statistics(bias))
        check = validity_of(release, checkpoint.validity)
        model = replace(torch_model, checkpoint=checkpoint, validity=check)
        prepared = prepare(png_bytes, model, Stopwatch())
        output = model.backend.infer(prepared.tensor[None])
        return judged(prepared, output, model, "x", Options())

    return ask


def test_an_input_of_the_right_kind_is_answered(answer):
    assert answer([5.0, 0.0, 0.0]).outcome is not Outcome.REJECTED


def test_I10_the_wrong_door_is_named_and_gives_no_scores(answer):
    prediction = answer([0.0, 9.0, 0.0])

    assert prediction.outcome is Outcome.REJECTED
    assert [(r.code, r.looks_like) for r in prediction.reasons] == [
        ("wrong_modality", "skin-lesion")
    ]
    assert (prediction.probabilities, prediction.label, prediction.triage) == ({}, None, None)


def test_I9_what_is_unlike_everything_is_rejected(answer):
    prediction = answer([5.0, 0.0, 0.0], reject_distance=-1.0)

    assert [reason.code for reason in prediction.reasons] == ["out_of_distribution"]
    assert prediction.probabilities == {}


def test_an_unusual_input_keeps_its_scores_but_gets_no_single_answer(answer):
    prediction = answer([5.0, 0.0, 0.0], doubt_distance=-1.0)

    assert prediction.outcome is Outcome.ABSTAINED
    assert "unusual_input" in [reason.code for reason in prediction.reasons]
    assert prediction.label is None
    assert prediction.probabilities
    assert prediction.triage.band in ("moderate", "high", "urgent")


def test_without_statistics_nothing_is_recognised(torch_model):
    output = Output(torch.zeros(1, 2), torch.zeros(1, 112), torch.zeros(1, 1280))

    recognition = recognise_input(output, torch_model)

    assert (recognition.looks_like, recognition.probabilities) == (None, {})
