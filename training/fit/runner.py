"""One training run from manifest to weights: banks, one fit per seed, average, record.

    manifest → check leaks → banks → fit (per seed) → average of seeds if validation gains → Trained

What a finished run leaves in its folder stands in `training/fit/run_folder.py`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from contracts.modality import Modality
from contracts.network import build_network
from training.config import TrainConfig, config_to_plain
from training.dataset import ImageBank
from training.distributed import Team, choose_device, join_team
from training.fit.idle import refuse_idle
from training.fit.inputs import bank_of, image_spec
from training.fit.memory import keep_freed_pages
from training.fit.predict_batches import predict_batches
from training.fit.run_folder import save_run
from training.fit.run_log import Log, RunLog, progress_bar
from training.fit.selection import selection_score
from training.fit.start import load_start
from training.fit.trained import Trained
from training.loop import Fitted, Task, fit
from training.manifest import Manifest
from training.resume import save_weights


def train_network(  # noqa: PLR0913
    modality: Modality,
    manifest: Manifest,
    config: TrainConfig,
    *,
    init: str,
    run_dir: Path,
    device_name: str = "auto",
    log: Log = lambda line: None,
) -> Trained:
    """Fit every seed of the recipe and return the released weights.

    The `train` part teaches, the `val` part chooses; no other part is opened. Resumes from the
    run folder. Raises ValueError for a manifest without these parts, BadConfig for idle settings.
    """
    refuse_idle(modality, config)
    keep_freed_pages()
    start, spec = load_start(init, config.arch), image_spec(modality, config)
    with join_team("cuda" if device_name != "cpu" and torch.cuda.is_available() else "cpu") as team:
        device = choose_device(device_name, team.local_rank)
        train, val = _banks(modality, manifest, config)
        task = Task(
            config=config,
            spec=spec,
            outputs=len(modality.codes),
            train=train,
            val=val,
            init=start.weights,
            device=device,
            run_dir=run_dir,
            seed=config.seeds[0],
            team=team,
        )
        began = time.monotonic()
        fitted = [_fit_seed(task, seed, log) for seed in config.seeds]
        chosen = choose_weights(task, fitted, log)
        trained = Trained(
            modality=modality,
            config=config_to_plain(config),
            manifest=manifest,
            weights=chosen.weights,
            arch=config.arch,
            image=spec,
            render=modality.render,
            run_dir=run_dir,
            history=[row for one in fitted for row in one.history],
            seconds=sum(row.get("seconds", 0.0) for one in fitted for row in one.history),
            device=device_label(device, team),
            init=start.description,
            seeds=config.seeds,
        )
    log(f"trained in {time.monotonic() - began:.0f} s, validation {chosen.score:.4f}")
    if team.leads:
        save_run(trained)
    return trained


def _banks(
    modality: Modality, manifest: Manifest, config: TrainConfig
) -> tuple[ImageBank, ImageBank]:
    """The images that teach and those that choose."""
    train, val = manifest.part("train"), manifest.part("val")
    if not train or not val:
        raise ValueError("the manifest needs the parts train and val")
    spec = image_spec(modality, config)
    return (
        bank_of(train, modality, spec, variants=config.variants),
        bank_of(val, modality, spec),
    )


def choose_weights(task: Task, fitted: Sequence[Fitted], log: Log) -> Fitted:
    """Return the plain average of all seeds if validation says so, else the best seed.

    With `average_start` the weights that a continued model started from are one more member
    (Wortsman et al., Robust fine-tuning, CVPR 2022).
    """
    best = max(fitted, key=lambda one: one.score)
    members = [one.weights for one in fitted] if task.config.average_seeds else [best.weights]
    if task.config.average_start:
        members.append(_whole_start(task, best.weights))
    if len(members) < 2:
        return best
    average = {
        name: torch.stack([one[name].float() for one in members]).mean(0).to(value.dtype)
        for name, value in best.weights.items()
    }
    network = build_network(task.config.arch, task.outputs)
    network.load_state_dict(average)
    network.to(task.device)
    logits = predict_batches(network, task.val, task.config, task.spec)
    score = selection_score(logits, task.val.targets, task.config.select_by)
    log(f"seeds {[round(one.score, 4) for one in fitted]}, average of weights {score:.4f}")
    return Fitted(average, score, best.history) if score >= best.score else best


def _whole_start(task: Task, like: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The initial weights; raise ValueError when they are no model of the same outputs."""
    start = task.init or {}
    if {name: value.shape for name, value in start.items()} != {
        name: value.shape for name, value in like.items()
    }:
        raise ValueError("average_start needs an initialisation with the same head")
    return start


def device_label(device: torch.device, team: Team) -> str:
    """Name the device for the model card, without naming the machine."""
    if device.type == "cuda":
        return f"{team.world} x {torch.cuda.get_device_name(device)}"
    return f"CPU, {torch.get_num_threads()} threads"


def _fit_seed(task: Task, seed: int, log: Log) -> Fitted:
    """Fit one seed in its own folder; the leading process logs."""
    folder = task.run_dir / f"seed-{seed}"
    mine = replace(task, run_dir=folder, seed=seed)
    if not task.team.leads:
        return fit(mine)
    with RunLog(folder, log) as run_log:
        fitted = fit(replace(mine, watch=progress_bar), run_log.epoch)
    save_weights(folder / "weights.pt", fitted.weights)
    return fitted
