"""Freezing, rates, moving average and losses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from contracts.network import build_network, head_of
from training.config import TrainConfig
from training.fit.optim import (
    blocks_of,
    build_loss,
    build_optimizer,
    freeze_blocks,
    frozen_to_eval,
    moving_average,
    set_rate,
    trained_prior_offset,
)
from training.fit.precision import precision_for


def train_steps(network, steps=3):
    optimizer = build_optimizer(network, TrainConfig())
    for _ in range(steps):
        optimizer.zero_grad()
        network(torch.randn(4, 3, 32, 32)).square().mean().backward()
        optimizer.step()


@pytest.mark.parametrize("arch", ["efficientnet_b0", "mobilenet_v2", "resnet50"])
def test_frozen_really_means_frozen_batchnorm_too(arch):
    network = build_network(arch, 2).train()
    freeze_blocks(network, "all")
    frozen_to_eval(network, all_batchnorm=False)
    before = {name: value.clone() for name, value in network.state_dict().items()}

    train_steps(network)

    head = {id(value) for value in head_of(network).state_dict(keep_vars=True).values()}
    for name, value in network.state_dict(keep_vars=True).items():
        assert torch.equal(value, before[name]) != (id(value) in head), name


def test_the_partial_strategy_leaves_the_last_stages_free():
    network = build_network("efficientnet_b0", 2)
    freeze_blocks(network, "partial")

    trainable = [any(p.requires_grad for p in block.parameters()) for block in blocks_of(network)]
    assert trainable == [False] * 3 + [True] * 7


def test_running_statistics_stay_when_all_batchnorm_is_frozen():
    network = build_network("efficientnet_b0", 2).train()
    frozen_to_eval(network, all_batchnorm=True)
    norm = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)][-1]
    before, weight = norm.running_mean.clone(), norm.weight.detach().clone()

    train_steps(network)

    assert torch.equal(norm.running_mean, before)
    assert not torch.equal(norm.weight, weight)


def test_earlier_stages_learn_more_slowly_and_biases_do_not_decay():
    groups = build_optimizer(
        build_network("efficientnet_b0", 2), TrainConfig(layer_decay=0.5, lr=1e-3, head_lr=2e-3)
    ).param_groups

    rates = [group["lr"] for group in groups]
    assert rates == sorted(rates)
    assert rates[-1] == 2e-3
    assert all(p.ndim > 1 for group in groups if group["weight_decay"] for p in group["params"])


@pytest.mark.parametrize(("schedule", "peak"), [("cosine", 0.05), ("onecycle", 0.3)])
def test_the_rate_warms_up_to_its_peak_and_falls_to_a_hundredth(schedule, peak):
    network = nn.Linear(2, 2)
    optimizer = torch.optim.AdamW([{"params": network.parameters(), "peak": 1.0}])
    config = TrainConfig(schedule=schedule)

    factors = [set_rate(optimizer, config, progress / 100) for progress in range(101)]

    assert factors.index(max(factors)) == round(100 * peak)
    assert factors[-1] == pytest.approx(0.01)


def test_the_moving_average_follows_quickly_at_first_and_never_aliases_the_network():
    network = nn.Linear(1, 1, bias=False)
    averaged = moving_average(network, 0.99)
    nn.init.constant_(network.weight, 1.0)
    averaged.update_parameters(network)

    nn.init.constant_(network.weight, 2.0)
    averaged.update_parameters(network)

    # Warm-up: the second update uses decay 2/11 instead of .99.
    assert float(averaged.module.weight.detach()) == pytest.approx(2 - 2 / 11, abs=1e-6)
    assert averaged.module.weight.data_ptr() != network.weight.data_ptr()


def test_a_sampler_prior_is_taken_back_exactly():
    counts = torch.tensor([900.0, 100.0])
    offset = trained_prior_offset(TrainConfig(imbalance="sampler", imbalance_power=0.5), counts)
    sampled = counts.sqrt() / counts.sqrt().sum()

    natural = (sampled.log() + offset).softmax(0)

    assert torch.allclose(natural, counts / counts.sum())


def test_no_correction_needs_no_offset():
    assert not trained_prior_offset(TrainConfig(), torch.tensor([9.0, 1.0])).any()


def test_logit_adjustment_rewards_the_rare_class():
    counts = torch.tensor([99.0, 1.0])
    plain = build_loss(TrainConfig(), counts, multi_label=False, examples=100)
    adjusted = build_loss(
        TrainConfig(imbalance="logit_adjustment"), counts, multi_label=False, examples=100
    )
    logits, rare = torch.zeros(1, 2), torch.tensor([1])

    assert float(adjusted(logits, rare)) > float(plain(logits, rare))


def test_focal_loss_is_cross_entropy_at_gamma_zero():
    counts, logits, target = torch.ones(3), torch.randn(5, 3), torch.tensor([0, 1, 2, 1, 0])
    focal = build_loss(
        TrainConfig(imbalance="focal", focal_gamma=0.0), counts, multi_label=False, examples=5
    )
    plain = build_loss(TrainConfig(), counts, multi_label=False, examples=5)

    assert torch.allclose(focal(logits, target), plain(logits, target))


def test_independent_labels_use_binary_cross_entropy():
    loss = build_loss(TrainConfig(), torch.tensor([2.0, 2.0]), multi_label=True, examples=4)
    logits, target = torch.zeros(4, 2), torch.ones(4, 2)

    assert float(loss(logits, target)) == pytest.approx(0.6931, abs=1e-4)


def test_class_weights_make_every_class_count_alike():
    counts = torch.tensor([90.0, 10.0])
    loss = build_loss(
        TrainConfig(imbalance="class_weights", imbalance_power=1.0),
        counts,
        multi_label=False,
        examples=100,
    )
    truth = torch.tensor([0] * 90 + [1] * 10)
    towards_common = torch.tensor([[1.0, -1.0]]).expand(100, 2)

    only_common_right = float(loss(towards_common, truth))
    only_rare_right = float(loss(-towards_common, truth))

    assert only_common_right == pytest.approx(only_rare_right, rel=1e-5)


def test_class_weights_make_a_rare_independent_label_count_more():
    counts = torch.tensor([50.0, 10.0])
    plain, weighed = (
        build_loss(TrainConfig(imbalance=name), counts, multi_label=True, examples=100)
        for name in ("none", "class_weights")
    )
    logits, rare = torch.zeros(1, 2), torch.tensor([[0.0, 1.0]])

    assert float(weighed(logits, rare)) == pytest.approx(2 * float(plain(logits, rare)))
    assert float(weighed(logits, 1 - rare)) == pytest.approx(float(plain(logits, 1 - rare)))


@pytest.mark.parametrize("multi_label", [False, True])
def test_smoothed_labels_punish_certainty(multi_label):
    counts, sure = torch.ones(2), torch.tensor([[20.0, -20.0]])
    target = torch.tensor([[1.0, 0.0]]) if multi_label else torch.tensor([0])
    hard, soft = (
        build_loss(TrainConfig(label_smoothing=amount), counts, multi_label=multi_label, examples=2)
        for amount in (0.0, 0.1)
    )

    assert float(hard(sure, target)) < 1e-6
    assert float(soft(sure, target)) > 0.5


@pytest.mark.parametrize(
    ("amp", "dtype"), [("off", None), ("bf16", torch.bfloat16), ("fp16", torch.float16)]
)
def test_the_recipe_names_the_precision(amp, dtype):
    assert precision_for(TrainConfig(amp=amp), torch.device("cpu")) is dtype
