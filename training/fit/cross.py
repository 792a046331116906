"""Cross-validation by group: every case scored by a network that never saw its group.

Sets too small for a test part (breast, ECG) are reported and calibrated by these out-of-fold
scores; they speak of the recipe. Folds are the manifest's attribute `fold`. Finished folds are
kept in the run folder and not fitted again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from contracts.checkpoint import half_precision
from contracts.modality import Modality
from contracts.network import build_network
from training.config import TrainConfig
from training.dataset import ImageBank
from training.distributed import choose_device
from training.fit.idle import refuse_idle
from training.fit.inputs import bank_of, image_spec
from training.fit.memory import keep_freed_pages
from training.fit.predict_batches import predict_batches
from training.fit.run_log import Log
from training.fit.start import load_start
from training.loop import Task, fit
from training.manifest import Manifest, Row
from training.measure.scored import Scored, scored_from

NAME = "out_of_fold.json"
PARTS = ("train", "val", "cal")
_INNER_SHARE = 0.12


def cross_validate(  # noqa: PLR0913
    modality: Modality,
    manifest: Manifest,
    config: TrainConfig,
    *,
    init: str,
    run_dir: Path,
    device_name: str = "auto",
    log: Log = lambda line: None,
) -> Scored:
    """Fit one network per fold and return the out-of-fold scores of all rows that have a fold.

    Raises ValueError when fewer than two folds are named, BadConfig for idle settings.
    """
    refuse_idle(modality, config)
    keep_freed_pages()
    rows = fold_rows(manifest)
    folds = sorted({row.attributes["fold"] for row in rows})
    if len(folds) < 2:
        raise ValueError("cross-validation needs the attribute fold with at least two values")
    spec = image_spec(modality, config)
    task = Task(
        config=config,
        spec=spec,
        outputs=len(modality.codes),
        train=bank_of(rows, modality, spec, variants=config.variants),
        val=ImageBank(torch.empty(0), torch.empty(0)),
        init=load_start(init, config.arch).weights,
        device=choose_device(device_name),
        run_dir=run_dir,
        seed=config.seeds[0],
    )
    logits: dict[str, list[float]] = {}
    for fold in folds:
        logits |= _one_fold(task, rows, fold, log)
    run_dir.mkdir(parents=True, exist_ok=True)
    (run_dir / NAME).write_text(json.dumps({"manifest": manifest.sha256, "logits": logits}))
    return load_out_of_fold(run_dir, manifest, modality)


def load_out_of_fold(run_dir: Path, manifest: Manifest, modality: Modality) -> Scored:
    """Read the scores back; raise ValueError when they belong to another manifest."""
    stored = json.loads((run_dir / NAME).read_text())
    if stored["manifest"] != manifest.sha256:
        raise ValueError("these out-of-fold scores belong to another manifest")
    rows = fold_rows(manifest)
    return scored_from(rows, np.array([stored["logits"][row.id] for row in rows]), modality)


def fold_rows(manifest: Manifest) -> list[Row]:
    """The rows of the training parts that name a fold."""
    return [row for row in manifest.rows if row.split in PARTS and row.attributes.get("fold")]


def _one_fold(task: Task, rows: Sequence[Row], fold: str, log: Log) -> dict[str, list[float]]:
    """Fit without one fold and score it; the inner validation part is cut by group."""
    folder = task.run_dir / f"fold-{fold}"
    kept = folder / NAME
    if kept.exists():
        stored: dict[str, list[float]] = json.loads(kept.read_text())
        return stored
    outside = [index for index, row in enumerate(rows) if row.attributes["fold"] != fold]
    inside = [index for index, row in enumerate(rows) if row.attributes["fold"] == fold]
    inner = [index for index in outside if _is_inner(rows[index])]
    chosen = set(inner)
    train = [index for index in outside if index not in chosen]
    fitted = fit(
        replace(
            task, train=_subset(task.train, train), val=_subset(task.train, inner), run_dir=folder
        ),
        lambda row: log(f"fold {fold} epoch {row['epoch']:.0f} val {row['val_score']:.4f}"),
    )
    network = build_network(task.config.arch, task.outputs)
    network.load_state_dict(half_precision(fitted.weights))
    scores = predict_batches(
        network, _subset(task.train, inside), replace(task.config, amp="off"), task.spec
    )
    logits = {rows[index].id: row.tolist() for index, row in zip(inside, scores, strict=True)}
    kept.write_text(json.dumps(logits))
    return logits


def _is_inner(row: Row) -> bool:
    """True for the share of groups that only chooses the epoch; stable from run to run."""
    digest = hashlib.sha256((row.group or row.id).encode()).digest()
    return int.from_bytes(digest[:4], "big") / 2**32 < _INNER_SHARE


def _subset(bank: ImageBank, indices: Sequence[int]) -> ImageBank:
    """Return some inputs of a bank."""
    chosen = torch.tensor(indices)
    return ImageBank(bank.images[chosen], bank.targets[chosen])
