"""Fit and measure the input checks of one model against the images of other modalities.

`--others` names manifests of foreign images, split like the rest: their `train` part fits the
modality head, `val` and `cal` set nothing of theirs, and what is held out measures. Every kind
is measured alone, and once more with that kind left out of the head's training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from contracts.modality import ImageSpec, Kind, Modality
from contracts.network import Output
from contracts.registry import get_modality
from contracts.validity import OTHER
from training.dataset import ImageBank, load_bank
from training.fit.inputs import loader_for
from training.fit.trained import Trained
from training.manifest import Manifest, Row, read_manifest
from training.validity.checks import Fit, features_of, fit_validity, foreignness, other_pictures

#: Most inputs of one kind that fit the head, and that measure it.
FIT_COUNT, MEASURE_COUNT = 500, 200
HELD_BACK = ("test", "cal", "val")


@dataclass(frozen=True, slots=True)
class Kinds:
    """Features by kind: those that fit, and those that only measure."""

    fit: Mapping[str, Output]
    measure: Mapping[str, Output]


def fit_checks(
    network: nn.Module, trained: Trained, others: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Fit the checks of a finished run, see `measured_checks`."""
    return measured_checks(network, trained.modality, trained.image, trained.manifest, others)


def measured_checks(
    network: nn.Module,
    own: Modality,
    spec: ImageSpec,
    manifest: Manifest,
    others: Sequence[Path],
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Return the numbers and tensors of the checks, measured figures included.

    Without any foreign manifest there is only the generated kind *other* to tell apart.
    """
    train = _bank(manifest, ("train",), own, spec, 3 * FIT_COUNT)
    good = _bank(manifest, ("cal", "val"), own, spec, 10 * FIT_COUNT)
    held = _bank(manifest, ("test",), own, spec, 10 * FIT_COUNT)
    kinds = _foreign_kinds(network, own, spec, others, train)
    own_train, own_good = features_of(network, train, spec), features_of(network, good, spec)
    fit = fit_validity(own.id, own_train, own_good, kinds.fit)
    own_held = features_of(network, held, spec) if len(held) else own_good
    measured = {
        "measured_on": "held-out test part" if len(held) else "calibration part",
        "inputs": len(own_held.logits),
        "not_rejected": float((foreignness(own_held, fit) <= 1).mean()),
        "kinds": {
            kind: separation(own_held, output, fit) | {"named": named(output, kind, fit)}
            for kind, output in kinds.measure.items()
        },
        "left_out": {
            kind: separation(
                own_held, kinds.measure[kind], _without(kind, own, own_train, own_good, kinds)
            )
            for kind in kinds.measure
            if len(kinds.fit) > 1
        },
    }
    return fit.numbers | {"measured": measured}, fit.tensors


def named(output: Output, kind: str, fit: Fit) -> float:
    """Share of inputs of a kind that the modality head calls by its name."""
    found = fit.check.statistics.recognise(output).argmax(1)
    return float((found == fit.check.kinds.index(kind)).mean())


def separation(own: Output, foreign: Output, fit: Fit) -> dict[str, float]:
    """AUROC, false accepts at 95 % true accepts, and the share refused at the stored limits."""
    good, bad = foreignness(own, fit), foreignness(foreign, fit)
    truth = np.concatenate((np.zeros(len(good)), np.ones(len(bad))))
    return {
        "inputs": len(bad),
        "auroc": float(roc_auc_score(truth, np.concatenate((good, bad)))),
        "false_accepts_at_95": float((bad <= np.quantile(good, 0.95)).mean()),
        "refused": float((bad > 1).mean()),
    }


def _without(kind: str, own: Modality, train: Output, good: Output, kinds: Kinds) -> Fit:
    """The checks fitted as if this kind had never been seen."""
    rest = {name: output for name, output in kinds.fit.items() if name != kind}
    return fit_validity(own.id, train, good, rest)


def _foreign_kinds(
    network: nn.Module,
    own: Modality,
    spec: ImageSpec,
    others: Sequence[Path],
    pictures: ImageBank,
) -> Kinds:
    """Features of every foreign manifest and of generated pictures, at this model's input."""
    fit = {OTHER: features_of(network, other_pictures(FIT_COUNT, pictures, 0), spec)}
    measure = {OTHER: features_of(network, other_pictures(MEASURE_COUNT, pictures, 1), spec)}
    for path in others:
        manifest = read_manifest(path)
        kind = get_modality(manifest.modality)
        if kind.id == own.id:
            continue
        for parts, count, target in (
            (("train",), FIT_COUNT, fit),
            (HELD_BACK, MEASURE_COUNT, measure),
        ):
            target[kind.id] = features_of(network, _bank(manifest, parts, kind, spec, count), spec)
    return Kinds(fit, measure)


def _bank(
    manifest: Manifest, parts: Sequence[str], kind: Modality, spec: ImageSpec, count: int
) -> ImageBank:
    """Up to `count` evenly spread inputs of some parts, fitted as the own model fits them.

    Every other record is a page as somebody would photograph it, so that such pages are known.
    """
    rows: list[Row] = [row for part in parts for row in manifest.part(part)]
    step = max(1, len(rows) // count)
    rows = rows[::step][:count]
    load, variants = loader_for(rows, kind), 2 if kind.kind is Kind.ECG else 1
    targets = torch.zeros(len(rows))
    return load_bank(len(rows), lambda index, _: load(index, index % variants), targets, spec)
