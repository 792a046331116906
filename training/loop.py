"""Fit one network: head first, then fine-tune, keep the best epoch of the moving average.

    bank → augment → normalise → network → loss → step → moving average → validate → last.ckpt

Runs alone or under torchrun, on a CPU or a CUDA device, and goes on after a kill from the last
finished epoch. Imports torch, torchvision, numpy and PIL only. Calibration and export live
elsewhere; nothing here sees a calibration or test image.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim.swa_utils import AveragedModel

from contracts.modality import ImageSpec
from contracts.network import build_network, head_of
from training.config import TrainConfig
from training.dataset import ImageBank, class_counts, epoch_batches
from training.distributed import Team, wrap
from training.fit.head import fit_head
from training.fit.optim import (
    build_loss,
    build_optimizer,
    freeze_blocks,
    frozen_to_eval,
    moving_average,
    set_rate,
    trained_prior_offset,
)
from training.fit.precision import keep_depthwise_in_float32
from training.fit.predict_batches import predict_batches
from training.fit.selection import selection_score
from training.fit.step import Stepper
from training.resume import load_state, save_state

Progress = Callable[[dict[str, float]], None]
Watch = Callable[[Sequence[Tensor]], Iterable[Tensor]]


@dataclass(frozen=True, slots=True)
class Task:
    """What to fit: the two banks, the recipe, where to start from and where to write."""

    config: TrainConfig
    spec: ImageSpec
    outputs: int
    train: ImageBank
    val: ImageBank
    init: dict[str, Tensor] | None
    device: torch.device
    run_dir: Path
    seed: int
    team: Team = field(default_factory=Team)
    #: Wraps the batches of an epoch, for a progress bar.
    watch: Watch = list


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best epoch's averaged weights (float32, CPU) and the history, one dict per epoch."""

    weights: dict[str, Tensor]
    score: float
    history: list[dict[str, float]]


def fit(task: Task, on_epoch: Progress = lambda row: None) -> Fitted:
    """Train to the end or to early stop; resume from `last.ckpt` when the run folder has one."""
    torch.manual_seed(task.seed)
    torch.use_deterministic_algorithms(task.config.deterministic, warn_only=True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    task.run_dir.mkdir(parents=True, exist_ok=True)
    network = start_network(task)
    counts = class_counts(task.train.targets, task.outputs).to(task.device)
    multi_label = task.train.targets.ndim == 2
    loss = build_loss(task.config, counts, multi_label=multi_label, examples=len(task.train))
    state = load_state(task.run_dir)
    if state is None:
        fit_head(network, task.train, task.config, loss, seed=task.seed)
    averaged = moving_average(network, task.config.ema).to(task.device)
    stepper = Stepper(wrap(network, task.team, task.device), task.config, task.spec, loss)
    optimizer = build_optimizer(network, task.config)
    progress = _restore(state, network, averaged, optimizer) if state else _first(task, averaged)
    while progress["epoch"] < task.config.epochs and progress["stale"] < task.config.patience:
        row = _run_epoch(task, stepper, averaged, optimizer, int(progress["epoch"]))
        _judge_epoch(task, averaged, progress, row)
        on_epoch(row)
        if task.team.leads:
            save_state(task.run_dir, _snapshot(progress, network, averaged, optimizer))
    return _finish(task, progress, counts)


def start_network(task: Task) -> nn.Module:
    """Build the network, load the initialisation and freeze what the strategy says.

    Raises ValueError when the initialisation lacks anything but the head.
    """
    config = task.config
    network = build_network(
        config.arch, task.outputs, dropout=config.dropout, drop_path=config.drop_path
    )
    if task.init is not None:
        head = {id(value) for value in head_of(network).parameters()}
        names = {name for name, value in network.named_parameters() if id(value) in head}
        body = {name: value for name, value in task.init.items() if name not in names}
        missing, unexpected = network.load_state_dict(body, strict=False)
        if unexpected or set(missing) - names:
            raise ValueError("the initialisation does not fit the architecture")
    if task.device.type == "cpu":
        keep_depthwise_in_float32(network)
    freeze_blocks(network, config.freeze)
    return network.to(task.device).to(memory_format=torch.channels_last)


def _run_epoch(
    task: Task,
    stepper: Stepper,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
    epoch: int,
) -> dict[str, float]:
    """One pass over the training bank; returns its mean loss, speed and last rate."""
    config, network = task.config, stepper.network
    network.train()
    frozen_to_eval(network, all_batchnorm=config.freeze_batchnorm)
    seed = task.seed * 100_003 + epoch
    batches = list(
        epoch_batches(
            task.train, config, task.outputs, seed=seed, rank=task.team.rank, world=task.team.world
        )
    )
    generator = Generator().manual_seed(seed * 31 + task.team.rank)
    started, total, factor = time.monotonic(), 0.0, 0.0
    for index, indices in enumerate(task.watch(batches)):
        factor = set_rate(optimizer, config, (epoch + index / len(batches)) / config.epochs)
        images = task.train.pick(indices, generator).to(task.device, non_blocking=True)
        targets = task.train.targets[indices].to(task.device, non_blocking=True)
        total += stepper.step(images, targets, optimizer, generator)
        averaged.update_parameters(
            network.module if task.team.world > 1 else network  # type: ignore[arg-type]
        )
    seconds = time.monotonic() - started
    images_seen = sum(len(indices) for indices in batches) * task.team.world
    return {
        "epoch": float(epoch),
        "loss": total / len(batches),
        "rate_factor": factor,
        "seconds": seconds,
        "images_per_second": images_seen / seconds,
    }


def _judge_epoch(
    task: Task, averaged: AveragedModel, progress: dict[str, Any], row: dict[str, float]
) -> None:
    """Validate the averaged weights; keep a copy (never an alias) when they are the best."""
    logits = predict_batches(averaged.module, task.val, task.config, task.spec)
    targets = task.val.targets
    row["val_score"] = selection_score(logits, targets, task.config.select_by)
    row["val_nll"] = -selection_score(logits, targets, "nll")
    row["val_auroc"] = selection_score(logits, targets, "auroc")
    progress["epoch"] += 1
    progress["stale"] += 1
    progress["history"].append(row)
    if row["val_score"] > progress["best_score"]:
        progress.update(stale=0, best_score=row["val_score"], best=_copy(averaged.module))


def _first(task: Task, averaged: AveragedModel) -> dict[str, Any]:
    """Progress before the first epoch: the head-only network is the one to beat."""
    logits = predict_batches(averaged.module, task.val, task.config, task.spec)
    score = selection_score(logits, task.val.targets, task.config.select_by)
    row = {"epoch": -1.0, "val_score": score}
    return {
        "epoch": 0,
        "stale": 0,
        "best_score": score,
        "best": _copy(averaged.module),
        "history": [row],
    }


def _copy(network: nn.Module) -> dict[str, Tensor]:
    """Return a detached CPU copy of the weights."""
    return {
        name: value.detach().to("cpu", copy=True) for name, value in network.state_dict().items()
    }


def _snapshot(
    progress: dict[str, Any],
    network: nn.Module,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Everything that a resumed run needs."""
    return progress | {
        "network": network.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizer": optimizer.state_dict(),
    }


def _restore(
    state: dict[str, Any],
    network: nn.Module,
    averaged: AveragedModel,
    optimizer: torch.optim.Optimizer,
) -> dict[str, Any]:
    """Load a snapshot back in place and return the progress."""
    network.load_state_dict(state.pop("network"))
    averaged.load_state_dict(state.pop("averaged"))
    optimizer.load_state_dict(state.pop("optimizer"))
    return state


def _finish(task: Task, progress: dict[str, Any], counts: Tensor) -> Fitted:
    """Take the training prior out of the head's bias and return the best weights."""
    weights = copy.deepcopy(progress["best"])
    if task.train.targets.ndim == 1:
        bias = [name for name in weights if name.endswith("bias")][-1]
        weights[bias] += trained_prior_offset(task.config, counts.cpu())
    return Fitted(weights, float(progress["best_score"]), progress["history"])
