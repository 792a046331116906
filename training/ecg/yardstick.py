"""What the ECG page model is measured against, out of fold on the same records and patients.

    signal   a 1-D residual network on the millivolts: what the records allow
    age_sex  logistic regression on age and sex alone: what the page must beat
    random   a linear head on an encoder with random weights: what any page gives away
    frozen   the same on the initialisation that the page model starts from, when it is given

`python -m training.ecg.yardstick --manifest runs/manifests/ecg.csv --out runs/ecg/yardstick.json`.
With `--scores` the page model's `out_of_fold.json` (see `training/fit/cross.py`) is compared with
all of them on the same bootstrap draws.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

from contracts.modality import Modality
from contracts.network import build_network, forward_features
from contracts.registry import get_modality
from contracts.renderer import window
from training import metrics
from training.dataset import encode_targets
from training.ecg.records import read_waveform
from training.ecg.resnet1d import fit_signal_net, score_signals
from training.fit.cross import fold_rows
from training.fit.inputs import bank_of
from training.manifest import Manifest, Row, read_manifest
from training.measure.bootstrap import Array, Metric, cluster_weights, estimate, paired_difference
from training.metrics import Bools
from training.resume import load_weights

#: (training rows, their truth, asked rows) by index → scores `[asked, K]`.
Method = Callable[[NDArray[np.int64], NDArray[np.int64]], Array]

_SEEDS = (0, 1)
_ALPHAS = np.logspace(0, 6, 13)


def out_of_fold(rows: Sequence[Row], outputs: int, method: Method) -> Array:
    """Return `[N, K]` scores, each fold answered by a fit on the others."""
    folds = np.array([row.attributes["fold"] for row in rows])
    scores = np.zeros((len(rows), outputs))
    for fold in sorted(set(folds)):
        asked = np.flatnonzero(folds == fold)
        scores[asked] = method(np.flatnonzero(folds != fold), asked)
    return scores


def signal_method(rows: Sequence[Row], targets: Tensor) -> Method:
    """The 1-D network on ten seconds of millivolts at 100 Hz, mean of two seeds."""
    shown = [window(read_waveform(row.path)).signals_mv for row in rows]
    signals = torch.from_numpy(np.nan_to_num(np.stack(shown)))

    def method(known: NDArray[np.int64], asked: NDArray[np.int64]) -> Array:
        members = [
            score_signals(fit_signal_net(signals[known], targets[known], seed=seed), signals[asked])
            for seed in _SEEDS
        ]
        return np.asarray(torch.stack(members).mean(dim=0).double().numpy())

    return method


def age_sex_method(rows: Sequence[Row], truth: Bools) -> Method:
    """Logistic regression per label on age, its square and sex; unknown age is the mean."""
    ages = np.array([float(row.attributes["age"] or "nan") for row in rows])
    ages = np.where(np.isnan(ages), np.nanmean(ages), ages)
    female = np.array([row.attributes["sex"] == "female" for row in rows], dtype=float)
    table = np.stack([ages, ages**2, female, ages * female], axis=1)

    def method(known: NDArray[np.int64], asked: NDArray[np.int64]) -> Array:
        columns = []
        for label in range(truth.shape[1]):
            model = make_pipeline(StandardScaler(), LogisticRegression())
            model.fit(table[known], truth[known, label])
            columns.append(model.predict_proba(table[asked])[:, 1])
        return np.stack(columns, axis=1)

    return method


def linear_method(features: Array, truth: Bools) -> Method:
    """A linear head on fixed features; its penalty is chosen inside the training folds."""

    def method(known: NDArray[np.int64], asked: NDArray[np.int64]) -> Array:
        model = make_pipeline(StandardScaler(), RidgeCV(alphas=_ALPHAS))
        model.fit(features[known], truth[known].astype(float))
        return np.asarray(model.predict(features[asked])).reshape(len(asked), -1)

    return method


def encoder_features(rows: Sequence[Row], modality: Modality, init: Path | None) -> Array:
    """Return pooled features `[N, F]` of clean pages from a random or a given EfficientNet-B0.

    A random network takes its BatchNorm statistics from the first pages, without labels.
    """
    if modality.image is None:
        raise ValueError(f"{modality.id} takes no image")
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", len(modality.codes))
    if init is not None:
        body = {key: value for key, value in load_weights(init).items() if "classifier" not in key}
        network.load_state_dict(body, strict=False)
    images = bank_of(rows, modality, modality.image).images[:, 0]
    mean = torch.tensor(modality.image.mean).view(1, 3, 1, 1)
    std = torch.tensor(modality.image.std).view(1, 3, 1, 1)
    network = network.to(memory_format=torch.channels_last)
    batches = [((batch.float() / 255 - mean) / std) for batch in torch.split(images, 32)]
    with torch.inference_mode():
        if init is None:
            network.train()
            for batch in batches[:4]:
                network(batch)
        network.eval()
        found = [forward_features(network, batch).penultimate for batch in batches]
    return np.asarray(torch.cat(found).double().numpy())


def compare(
    manifest: Manifest, *, init: Path | None = None, page: Path | None = None
) -> dict[str, Any]:
    """Run every method and return their figures with intervals and their scores."""
    modality = get_modality(manifest.modality)
    rows = fold_rows(manifest)
    targets = encode_targets([row.label for row in rows], modality)
    truth: Bools = targets.numpy() > 0
    methods: dict[str, Callable[[], Method]] = {
        "age_sex": lambda: age_sex_method(rows, truth),
        "signal": lambda: signal_method(rows, targets),
        "random": lambda: linear_method(encoder_features(rows, modality, None), truth),
    }
    if init is not None:
        methods["frozen"] = lambda: linear_method(encoder_features(rows, modality, init), truth)
    scores, seconds = {}, {}
    for name, prepare in methods.items():
        started = time.monotonic()
        scores[name] = out_of_fold(rows, len(modality.codes), prepare())
        seconds[name] = round(time.monotonic() - started, 1)
    if page is not None:
        given = json.loads(page.read_text())["logits"]
        scores["page"] = np.array([given[row.id] for row in rows])
    return {
        "manifest_sha256": manifest.sha256,
        "records": len(rows),
        "patients": len({row.group for row in rows}),
        "seconds": seconds,
        "figures": figures(rows, truth, scores, modality),
        "scores": {
            name: {row.id: table[index].round(5).tolist() for index, row in enumerate(rows)}
            for name, table in scores.items()
        },
    }


def figures(
    rows: Sequence[Row], truth: Bools, scores: dict[str, Array], modality: Modality
) -> dict[str, Any]:
    """Return macro and label AUROC per method, and the lead of `page` over the others."""
    weights = cluster_weights([row.group for row in rows], [row.label for row in rows])
    macro: dict[str, Metric] = {
        name: partial(metrics.macro_auroc, table, truth) for name, table in scores.items()
    }
    result: dict[str, Any] = {}
    for name, table in scores.items():
        each = {
            code: estimate(partial(metrics.auroc, table[:, k], truth[:, k]), weights).to_plain()
            for k, code in enumerate(modality.codes)
        }
        result[name] = {"auroc.macro": estimate(macro[name], weights).to_plain(), "auroc": each}
        if "page" in scores and name != "page":
            lead = paired_difference(macro["page"], macro[name], weights)
            result[name]["page_lead"] = lead.to_plain()
    return result


def main(
    manifest: Annotated[Path, typer.Option(help="Manifest with a column fold.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")],
    init: Annotated[Path | None, typer.Option(help="State dict for the frozen encoder.")] = None,
    scores: Annotated[Path | None, typer.Option(help="out_of_fold.json of the page model.")] = None,
) -> None:
    """Compare the yardsticks of the ECG page model out of fold."""
    result = compare(read_manifest(manifest, "ecg"), init=init, page=scores)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(result))
    for name, row in result["figures"].items():
        typer.echo(f"{name}: {row['auroc.macro']} page lead {row.get('page_lead')}")


if __name__ == "__main__":
    typer.run(main)
