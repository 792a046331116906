"""One update: accumulation, memory back-off, mixing, checkpointing."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from contracts.modality import ImageSpec
from contracts.network import build_network
from training.config import AugmentConfig, BadConfig, TrainConfig
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
    config = TrainConfig(**{"width": 32, "height": 32, "amp": "off", "clip": 0.0} | settings)
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


def mixed(**mixing):
    """Eight images that say in every pixel which one they are and where it is, mixed."""
    torch.manual_seed(1)
    stepper = Stepper(LinearOnMeans(), TrainConfig(amp="off", **mixing), SPEC, F.cross_entropy)
    place = torch.arange(32 * 32).reshape(1, 1, 32, 32).expand(8, 3, 32, 32)
    origin = torch.arange(8).reshape(8, 1, 1, 1)
    generator = torch.Generator().manual_seed(5)
    batch, targets = stepper._mix((origin * 1024 + place).double(), torch.eye(8), generator)
    return batch - place, targets


def test_cutmix_pastes_one_rectangle_of_the_partner_as_large_as_the_targets_say():
    batch, targets = mixed(cutmix=1.0)
    source = batch / 1024

    assert torch.equal(source, source.round())
    for image, shares in zip(source.long(), targets, strict=True):
        found = torch.bincount(image.flatten(), minlength=8) / image.numel()
        assert torch.allclose(found, shares, atol=1e-6)
    mine = torch.arange(8).reshape(8, 1, 1)
    pasted = source[:, 0] != mine
    assert 0.02 < float(targets.diagonal().min()) < 0.98
    for mask in pasted[pasted.flatten(1).any(1)]:
        rows, columns = mask.any(1), mask.any(0)
        assert torch.equal(mask, rows[:, None] & columns[None, :])


def test_mixup_blends_the_partner_as_strongly_as_the_targets_say():
    batch, targets = mixed(mixup=0.4)

    blended = targets.double() @ torch.arange(8).double() * 1024
    assert 0.02 < float(targets.diagonal().min()) < 0.98
    assert torch.allclose(batch, blended.reshape(8, 1, 1, 1).expand_as(batch), atol=1e-2)


def test_recomputed_activations_give_the_same_gradients():
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", 2, dropout=0.0, drop_path=0.0).eval()
    twin = copy.deepcopy(network)

    step(network)
    step(twin, gradient_checkpointing=True)

    for first, second in zip(network.parameters(), twin.parameters(), strict=True):
        assert torch.allclose(first, second, atol=1e-5)


def test_a_network_without_stages_cannot_recompute_and_says_so():
    with pytest.raises(BadConfig):
        step(LinearOnMeans(), gradient_checkpointing=True)


class Speckled(nn.Module):
    """Answers the spread of an image's values: noise moves it, a mean does not."""

    def __init__(self) -> None:
        super().__init__()
        self.classifier = nn.Linear(1, 2, bias=False)
        nn.init.constant_(self.classifier.weight, 1.0)

    def forward(self, batch):
        return self.classifier(nn.functional.dropout(batch).std(dim=(1, 2, 3))[:, None])


def losses(**settings):
    """The loss of one view and of the same view beside a noisy one."""
    config = TrainConfig(
        width=32, height=32, amp="off", augment=AugmentConfig(noise=0.2), **settings
    )
    stepper = Stepper(Speckled(), config, SPEC, F.cross_entropy)
    images = torch.full((8, 3, 32, 32), 100, dtype=torch.uint8)
    views, targets = stepper._views(images, torch.arange(8) % 2, torch.Generator().manual_seed(0))
    torch.manual_seed(2)
    return stepper, views, targets, float(stepper._loss(views, targets).detach())


def test_consistency_asks_the_network_about_the_image_without_noise_and_with_it():
    _, (one,), _, _ = losses()
    _, (clean, noisy), _, _ = losses(consistency=1.0)

    assert float(one.std(dim=(2, 3)).max()) > 0.05
    assert float(clean.std(dim=(2, 3)).max()) < 1e-6
    assert torch.allclose(noisy.std(dim=(2, 3)), one.std(dim=(2, 3)), atol=1e-4)


def test_consistency_adds_what_noise_changes_and_nothing_that_dropout_changes():
    stepper, (clean, noisy), targets, value = losses(consistency=3.0)

    def loss(*views):
        torch.manual_seed(2)
        return float(stepper._loss(views, targets).detach())

    torch.manual_seed(2)
    first = stepper.network(clean)
    torch.manual_seed(2)
    second = stepper.network(noisy)
    apart = float(F.mse_loss(second, first).detach())
    assert apart > 1e-4
    assert loss(clean, clean) == pytest.approx(loss(clean))
    assert value == pytest.approx(loss(clean) + 3 * apart, rel=1e-5)


def test_consistency_gives_the_same_update_in_chunks():
    noise = AugmentConfig(noise=0.2)
    network = LinearOnMeans()
    twin, plain = copy.deepcopy(network), copy.deepcopy(network)

    step(network, consistency=1e4, augment=noise)
    step(twin, consistency=1e4, augment=noise, accumulation=4)
    step(plain)

    assert torch.allclose(network.classifier.weight, twin.classifier.weight, atol=1e-6)
    assert not torch.allclose(network.classifier.weight, plain.classifier.weight, atol=1e-6)


def test_consistency_without_noise_or_in_several_processes_is_refused():
    with pytest.raises(BadConfig):
        TrainConfig(consistency=1.0)
    wrapped = nn.Module()
    wrapped.module = LinearOnMeans()
    config = TrainConfig(consistency=1.0, augment=AugmentConfig(noise=0.02))
    with pytest.raises(BadConfig):
        Stepper(wrapped, config, SPEC, F.cross_entropy)


def test_a_clipped_gradient_moves_the_weights_by_no_more_than_its_bound():
    network = LinearOnMeans()
    before = torch.cat([value.flatten().clone() for value in network.state_dict().values()])

    step(network, clip=1e-3)

    after = torch.cat([value.flatten() for value in network.state_dict().values()])
    assert 0 < float((after - before).norm()) <= 0.1 * 1e-3 * 1.001


def test_mixed_precision_keeps_weights_and_loss_in_float32():
    network = LinearOnMeans()
    config = TrainConfig(width=32, height=32, amp="bf16")
    stepper = Stepper(network, config, SPEC, F.cross_entropy)
    before = network.classifier.weight.detach().clone()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)

    loss = stepper.step(images, torch.arange(4) % 2, optimizer, torch.Generator().manual_seed(0))

    assert stepper.dtype is torch.bfloat16
    assert network.classifier.weight.dtype is torch.float32
    assert loss > 0
    assert not torch.equal(network.classifier.weight, before)
