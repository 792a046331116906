from dataclasses import replace

import pytest
import torch

from contracts.registry import get_modality
from vision_service.model import ModelOptions, load_model
from vision_service.quality_control import QualityControl


@pytest.fixture
def model(tiny_checkpoint_path):
    """A model of its own, to be damaged."""
    return load_model(
        tiny_checkpoint_path("chest-xray"), get_modality("chest-xray"), ModelOptions("torch", "cpu")
    )


class CountingBackend:
    """A backend that remembers in which way each call was asked for."""

    name, device = "torch", "cpu"

    def __init__(self, inner, spreads_alone):
        self.inner, self.spreads_alone = inner, spreads_alone
        self.calls: list[bool] = []

    def infer(self, batch, *, alone=False):
        self.calls.append(alone)
        return self.inner.infer(batch)


def flip_exponent_bit(weight):
    """Flip the highest exponent bit of one float32 in place."""
    bits = weight.detach().view(-1).view(torch.int32)
    bits[0] ^= 1 << 30


def test_an_untouched_model_passes(model):
    control = QualityControl(model)

    report = control.run()

    assert (report.reason, report.deviation) == (None, 0.0)


@pytest.mark.parametrize(("spreads_alone", "ways"), [(False, [False]), (True, [False, True])])
def test_the_golden_cases_are_computed_once_in_each_way_of_the_backend(model, spreads_alone, ways):
    backend = CountingBackend(model.backend, spreads_alone)
    control = QualityControl(replace(model, backend=backend))
    backend.calls.clear()

    control.run()

    assert backend.calls == [alone for alone in ways for _ in model.golden_batch]


def test_s8_a_flipped_exponent_bit_in_a_live_weight_fails(model):
    control = QualityControl(model)

    flip_exponent_bit(model.network.features[4][0].block[0][0].weight)

    assert control.run().reason is not None


def test_s8_a_change_too_small_for_the_golden_cases_is_seen_in_the_digest(model):
    control = QualityControl(model)

    with torch.no_grad():
        model.network.classifier[1].weight[0, 0] += 1e-7

    report = control.run()
    assert report.reason == "weights_changed"
    assert report.deviation < 1e-3


def test_s8_a_weight_that_is_no_number_fails(model):
    control = QualityControl(model)

    with torch.no_grad():
        model.network.classifier[1].bias[0] = float("nan")

    report = control.run()
    assert (report.reason, report.deviation) == ("golden_cases_deviate", float("inf"))
