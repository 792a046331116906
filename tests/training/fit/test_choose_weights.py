"""Which weights of a finished run are kept: the best seed, or a mean that validation prefers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from contracts.modality import ImageSpec
from contracts.network import build_network
from tests.conftest import write_tiny_checkpoint
from training.config import TrainConfig
from training.dataset import ImageBank
from training.fit.runner import choose_weights
from training.loop import Fitted, Task
from training.resume import load_weights

HEAD = "classifier.1.weight"


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    torch.manual_seed(0)
    start = build_network("efficientnet_b0", 2).state_dict()
    bank = ImageBank(
        torch.randint(0, 255, (4, 1, 3, 32, 32), dtype=torch.uint8), torch.eye(2).repeat(2, 1)
    )
    return Task(
        config=TrainConfig(width=32, height=32, amp="off", average_start=True),
        spec=ImageSpec(32, 32, 32, 32),
        outputs=2,
        train=bank,
        val=bank,
        init=start,
        device=torch.device("cpu"),
        run_dir=tmp_path_factory.mktemp("run"),
        seed=0,
    )


def fitted(task, factor, score):
    weights = {name: value.clone() for name, value in task.init.items()}
    weights[HEAD] *= factor
    return Fitted(weights, score, [])


def test_the_start_of_a_continued_model_is_averaged_in_where_validation_prefers_the_mean(task):
    chosen = choose_weights(task, [fitted(task, 3.0, -1.0)], print)

    torch.testing.assert_close(chosen.weights[HEAD], task.init[HEAD] * 2)


def test_the_mean_is_left_when_validation_prefers_the_run_itself(task):
    best = fitted(task, 3.0, 2.0)

    assert choose_weights(task, [best], print) is best


def test_without_the_option_and_a_second_seed_nothing_is_averaged(task):
    plain = replace(task, config=replace(task.config, average_start=False))
    best = fitted(task, 3.0, -1.0)

    assert choose_weights(plain, [best], print) is best


def test_seeds_are_averaged_where_validation_prefers_the_mean(task):
    plain = replace(task, config=replace(task.config, average_start=False))

    chosen = choose_weights(plain, [fitted(task, 1.0, -1.0), fitted(task, 3.0, -1.0)], print)

    torch.testing.assert_close(chosen.weights[HEAD], task.init[HEAD] * 2)


def test_a_backbone_without_the_same_head_cannot_be_averaged_in(task):
    backbone = {name: value for name, value in task.init.items() if "classifier" not in name}

    with pytest.raises(ValueError, match="same head"):
        choose_weights(replace(task, init=backbone), [fitted(task, 3.0, -1.0)], print)


def test_a_released_model_file_is_an_initialisation_in_float32(tmp_path):
    path = write_tiny_checkpoint("chest-xray", tmp_path)

    weights = load_weights(path)

    build_network("efficientnet_b0", 2).load_state_dict(weights)
    assert weights[HEAD].dtype is torch.float32
