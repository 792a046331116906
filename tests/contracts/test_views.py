"""Views of an input and what a model file says of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from contracts.errors import BadCheckpoint
from contracts.modality import DecisionRule
from contracts.release import Release
from contracts.views import VIEWS, Views, views_of

RULE = DecisionRule("softmax", (1.5,), (0.0, 0.1), (0.0, 0.2), (0.5, 0.5), (0.1, 0.1), 1)
RELEASE = Release("chest-xray", 1, "efficientnet_b0", ("NORMAL", "PNEUMONIA"), RULE)


@pytest.mark.parametrize("name", VIEWS)
def test_every_view_is_its_own_inverse(name):
    tensor = torch.randn(3, 5, 7)

    assert torch.equal(VIEWS[name](VIEWS[name](tensor)), tensor)


def test_views_survive_the_model_file():
    views = Views(("identity", "rotate_180"), RULE)
    plain = views.to_plain()
    plain["decision"] = {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in plain["decision"].items()
    }

    assert views_of(replace(RELEASE, extra={"tta": plain})) == views


def test_a_file_that_only_measured_views_offers_none():
    assert views_of(replace(RELEASE, extra={"tta": {"views": ["identity"]}})) is None
    assert views_of(RELEASE) is None


def test_an_unknown_view_is_a_bad_checkpoint():
    plain = Views(("identity", "mirror"), RULE).to_plain()

    with pytest.raises(BadCheckpoint):
        views_of(replace(RELEASE, extra={"tta": plain}))


def test_views_are_given_in_order():
    tensor = torch.arange(6.0).view(1, 2, 3)

    first, second = Views(("identity", "flip_horizontal"), RULE).of(tensor)

    assert torch.equal(first, tensor)
    assert second[0, 0].tolist() == [2.0, 1.0, 0.0]
