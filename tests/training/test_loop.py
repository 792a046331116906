"""Fitting a small task: it learns, it resumes after a kill, it stops early."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from contracts.modality import ImageSpec
from contracts.network import build_network
from training.config import AugmentConfig, TrainConfig
from training.dataset import ImageBank
from training.loop import Task, fit, start_network

CONFIG = TrainConfig(
    width=32,
    height=32,
    epochs=3,
    head_epochs=2,
    batch_size=8,
    amp="off",
    ema=0.5,
    imbalance="class_weights",
    augment=AugmentConfig(brightness=0.05),
)


def bank(count, seed):
    """Bright squares against dark ones."""
    targets = torch.arange(count) % 2
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(0, 90, (count, 1, 3, 32, 32), generator=generator, dtype=torch.uint8)
    images[targets == 1, :, :, 8:24, 8:24] += 120
    return ImageBank(images, targets)


@pytest.fixture
def task(tmp_path):
    torch.set_num_threads(1)
    return Task(
        config=CONFIG,
        spec=ImageSpec(width=32, height=32, base_width=32, base_height=32),
        outputs=2,
        train=bank(24, 0),
        val=bank(12, 1),
        init=None,
        device=torch.device("cpu"),
        run_dir=tmp_path / "run",
        seed=0,
    )


class Killed(Exception):
    pass


def test_a_run_that_was_killed_goes_on_to_the_very_same_weights(task, tmp_path):
    whole = fit(task)

    def kill_after_the_second(row):
        if row["epoch"] == 1:
            raise Killed

    again = replace(task, run_dir=tmp_path / "again")
    with pytest.raises(Killed):
        fit(again, kill_after_the_second)
    resumed = fit(again)

    assert [row["epoch"] for row in resumed.history] == [-1, 0, 1, 2]
    assert resumed.score == whole.score
    for name, value in whole.weights.items():
        assert torch.equal(value, resumed.weights[name]), name


def test_training_stops_when_validation_no_longer_gains(task):
    config = replace(CONFIG, patience=1, epochs=30, lr=0.0, head_lr=0.0, ema=0.0)

    fitted = fit(replace(task, config=config))

    assert len(fitted.history) < 30


def test_the_kept_weights_are_those_of_the_best_epoch(task):
    fitted = fit(task)

    assert fitted.score == max(row["val_score"] for row in fitted.history)


def test_an_initialisation_that_lacks_layers_is_refused(task):
    body = build_network("efficientnet_b0", 1000).state_dict()
    del body["features.0.0.weight"]

    with pytest.raises(ValueError, match="does not fit"):
        start_network(replace(task, init=body))


def test_a_backbone_without_a_head_is_taken_over_as_it_is(task):
    body = {
        name: value
        for name, value in build_network("efficientnet_b0", 1000).state_dict().items()
        if not name.startswith("classifier")
    }

    network = start_network(replace(task, init=body))

    assert torch.equal(network.features[0][0].weight, body["features.0.0.weight"])


@pytest.mark.parametrize("arch", ["mobilenet_v2", "resnet50", "efficientnet_v2_m"])
def test_another_backbone_trains_by_name_alone(task, arch):
    config = replace(CONFIG, arch=arch, epochs=1, head_epochs=1, batch_size=24)

    fitted = fit(replace(task, config=config))

    assert set(fitted.weights) == set(build_network(arch, 2).state_dict())
    assert 0 <= fitted.score <= 1


@pytest.mark.gpu
def test_the_same_task_trains_on_a_cuda_device(task):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    fitted = fit(replace(task, device=torch.device("cuda"), config=replace(CONFIG, amp="auto")))

    assert all(value.device.type == "cpu" for value in fitted.weights.values())
    assert fitted.score > 0
