"""Parameter groups, learning-rate schedules, moving average of weights and the losses."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import AdamW
from torch.optim.swa_utils import AveragedModel

from contracts.network import head_of
from training.config import TrainConfig

Tensors = tuple[Tensor, ...] | list[Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]


def blocks_of(network: nn.Module) -> list[nn.Module]:
    """Return the network's stages from input to output, the head last."""
    body = [child for name, child in network.named_children() if name not in ("fc", "classifier")]
    if len(body) <= 2 and isinstance(body[0], nn.Sequential):
        body = list(body[0])
    return [*body, head_of(network)]


def freeze_blocks(network: nn.Module, strategy: str) -> None:
    """Freeze all stages but the head (`all`), the first third (`partial`) or nothing (`none`).

    The first stages hold generic edges and textures, and most of the cost of a step.
    """
    blocks = blocks_of(network)
    count = {"all": len(blocks) - 1, "partial": len(blocks) // 3, "none": 0}[strategy]
    for block in blocks[:count]:
        block.requires_grad_(False)


def frozen_to_eval(network: nn.Module, *, all_batchnorm: bool) -> None:
    """Put BatchNorm of frozen stages (or every one) in eval mode: frozen means frozen.

    `requires_grad=False` alone lets the running statistics drift.
    """
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and (
            all_batchnorm or (module.weight is not None and not module.weight.requires_grad)
        ):
            module.eval()


def build_optimizer(network: nn.Module, config: TrainConfig) -> AdamW:
    """Return AdamW with one rate per stage and no decay on biases and BatchNorm."""
    blocks = blocks_of(network)
    groups: list[dict[str, object]] = []
    for depth, block in enumerate(blocks):
        is_head = depth == len(blocks) - 1
        rate = config.head_lr if is_head else config.lr
        rate *= 1.0 if is_head else config.layer_decay ** (len(blocks) - 2 - depth)
        trainable = [parameter for parameter in block.parameters() if parameter.requires_grad]
        for decay, chosen in (
            (config.weight_decay, [p for p in trainable if p.ndim > 1]),
            (0.0, [p for p in trainable if p.ndim <= 1]),
        ):
            if chosen:
                groups.append({"params": chosen, "weight_decay": decay, "lr": rate, "peak": rate})
    return AdamW(groups)


def set_rate(optimizer: torch.optim.Optimizer, config: TrainConfig, progress: float) -> float:
    """Set every group's rate at `progress` in 0–1 of training; return the factor.

    Cosine: linear warm-up, then a half cosine to 1 %. One-cycle: the same with a warm-up of 30 %.
    """
    warmup = 0.3 if config.schedule == "onecycle" else config.warmup
    if progress < warmup:
        factor = max(0.01, progress / warmup)
    else:
        phase = (progress - warmup) / max(1e-9, 1 - warmup)
        factor = 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * min(1.0, phase)))
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor
    return factor


def moving_average(network: nn.Module, decay: float) -> AveragedModel:
    """Return an exponential moving average whose decay warms up: min(d, (1 + t) / (10 + t))."""

    @torch.no_grad()
    def blend(averaged: Tensors, current: Tensors, count: Tensor | int) -> None:
        step = float(count)
        rate = 1.0 - min(decay, (1 + step) / (10 + step))
        for old, new in zip(averaged, current, strict=True):
            if old.is_floating_point():
                old.lerp_(new, rate)
            else:
                old.copy_(new)

    return AveragedModel(network, multi_avg_fn=blend, use_buffers=True)


def build_loss(config: TrainConfig, counts: Tensor, *, multi_label: bool, examples: int) -> Loss:
    """Return the loss with exactly one correction of class imbalance, or none.

    `counts` is the number of training inputs per class. Focal loss: Lin et al. 2017, without
    alpha. Logit adjustment: Menon et al. 2021, tau = 1.
    """
    shares = counts / counts.sum()
    if multi_label:
        positives = (counts / examples).clamp(1e-3, 1 - 1e-3)
        weight = None
        if config.imbalance == "class_weights":
            weight = ((1 - positives) / positives).pow(config.imbalance_power)
        return lambda logits, target: F.binary_cross_entropy_with_logits(
            logits, _smooth(target, config.label_smoothing), pos_weight=weight
        )
    if config.imbalance == "focal":
        return lambda logits, target: _focal(logits, target, config.focal_gamma)
    weights = None
    if config.imbalance == "class_weights":
        weights = shares.pow(-config.imbalance_power)
        weights = weights / (weights * shares).sum()
    offset = shares.log() if config.imbalance == "logit_adjustment" else torch.zeros_like(shares)
    return lambda logits, target: F.cross_entropy(
        logits + offset, target, weight=weights, label_smoothing=config.label_smoothing
    )


def trained_prior_offset(config: TrainConfig, counts: Tensor) -> Tensor:
    """Return what to add to the head's bias so that logits speak of the natural prevalence.

    A sampler or class weights train the posterior under a prior of `counts ** (1 - power)`; the
    difference of the log priors takes it back exactly.
    """
    if config.imbalance not in ("sampler", "class_weights"):
        return torch.zeros_like(counts)
    offset = config.imbalance_power * counts.log()
    return offset - offset.mean()


def _smooth(target: Tensor, amount: float) -> Tensor:
    """Move binary targets towards one half."""
    return target * (1 - amount) + 0.5 * amount


def _focal(logits: Tensor, target: Tensor, gamma: float) -> Tensor:
    """Focal loss of class indices or of mixed (soft) targets."""
    log_p = F.log_softmax(logits, dim=1)
    if target.ndim == 1:
        target = F.one_hot(target, logits.shape[1]).to(log_p.dtype)
    return -(target * (1 - log_p.exp()).pow(gamma) * log_p).sum(1).mean()
