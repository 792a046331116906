"""One update: accumulation, memory back-off, mixing, checkpointing."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from contracts.modality import ImageSpec
from contracts.network import build_network
from training.config import TrainConfig
from training.fit.step import Stepper

SPEC = ImageSpec(width=32, height=32)


class LinearOnMeans(nn.Module):
    """A network without BatchNorm, so that chunks add up exactly; refuses large batches."""

    def __init__(self, most: int = 10**6) -> None:
        super().__init__()
        self.classifier = nn.Linear(3, 2)
        self.most = most

    def forward(self, batch):
        if len(batch) > self.most:
            raise torch.OutOfMemoryError("too large")
        return self.classifier(batch.mean(dim=(2, 3)))


def step(network, **settings):
    config = TrainConfig(width=32, height=32, amp="off", clip=0.0, **settings)
    stepper = Stepper(network, config, SPEC, F.cross_entropy)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (8, 3, 32, 32), generator=generator, dtype=torch.uint8)
    stepper.step(images, torch.arange(8) % 2, optimizer, generator)
    return stepper, network


def test_accumulated_chunks_give_the_update_of_the_whole_batch():
    network = LinearOnMeans()
    twin = copy.deepcopy(network)

    step(network)
    step(twin, accumulation=4)

    assert torch.allclose(network.classifier.weight, twin.classifier.weight, atol=1e-6)


def test_a_batch_that_does_not_fit_is_halved_and_gives_the_same_update():
    network = LinearOnMeans()
    small = copy.deepcopy(network)
    small.most = 3

    step(network)
    stepper, _ = step(small)

    assert stepper.chunks == 4
    assert torch.allclose(network.classifier.weight, small.classifier.weight, atol=1e-6)


def test_one_image_that_does_not_fit_is_an_error():
    with pytest.raises(torch.OutOfMemoryError):
        step(LinearOnMeans(most=0))


@pytest.mark.parametrize("mixing", [{"mixup": 0.4}, {"cutmix": 1.0}])
def test_mixing_keeps_targets_a_distribution(mixing):
    config = TrainConfig(width=32, height=32, amp="off", **mixing)
    stepper = Stepper(LinearOnMeans(), config, SPEC, F.cross_entropy)
    generator = torch.Generator().manual_seed(3)

    batch, targets = stepper._mix(torch.rand(6, 3, 32, 32), torch.arange(6) % 2, generator)

    assert batch.shape == (6, 3, 32, 32)
    assert torch.allclose(targets.sum(1), torch.ones(6))


def test_recomputed_activations_give_the_same_gradients():
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", 2, dropout=0.0, drop_path=0.0).eval()
    twin = copy.deepcopy(network)

    step(network)
    step(twin, gradient_checkpointing=True)

    for first, second in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(first, second, atol=1e-5)
