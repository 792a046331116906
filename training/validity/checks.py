"""Fit the input checks of an image model: the modality head and the feature distances.

Foreign images come from the manifests of other modalities and are split like the rest: `train`
fits the head, `cal` and `val` set the limits, `test` is for measuring only. Generated pictures
(noise, textures, text-like pages, shuffled patches) form the class *other*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from contracts.features import LAYERS, Statistics, both_layers, bounded
from contracts.modality import ImageSpec
from contracts.network import Output, forward_features
from contracts.validity import ValidityCheck
from training.dataset import ImageBank
from training.fit.predict_batches import clean_batches
from training.validity.pictures import generate, shuffle_patches

COMPONENTS = {"middle": 48, "penultimate": 128}
#: Shares of good calibration inputs that the limits let through.
NOT_REJECTED, NOT_DOUBTED, OWN_KIND = 0.998, 0.965, 0.998
#: Bound of what the modality head reads, in standard deviations of the own kind.
HEAD_LIMIT = 10.0


@dataclass(frozen=True, slots=True)
class Fit:
    """Numbers and tensors of the checks, as they travel in the model file."""

    numbers: dict[str, Any]
    tensors: dict[str, Tensor]

    @property
    def check(self) -> ValidityCheck:
        """The checks as they serve."""
        return ValidityCheck.of(self.tensors, self.numbers, self.numbers["kinds"][0])


def features_of(network: nn.Module, bank: ImageBank, spec: ImageSpec) -> Output:
    """Return the features of a bank's clean images in float32, by the served forward pass."""
    network.eval()
    with torch.inference_mode():
        parts = [forward_features(network, inputs) for inputs in clean_batches(bank, spec)]
    return Output(
        torch.cat([part.logits for part in parts]),
        torch.cat([part.middle for part in parts]),
        torch.cat([part.penultimate for part in parts]),
    )


def fit_validity(own: str, train: Output, cal: Output, foreign_train: Mapping[str, Output]) -> Fit:
    """Fit head, distances and limits. `foreign_train` maps a kind (or `other`) to its features."""
    kinds = [own, *sorted(foreign_train)]
    tensors = _fit_head([train, *(foreign_train[kind] for kind in kinds[1:])])
    for layer in LAYERS:
        tensors |= _fit_basis(getattr(train, layer), layer)
    unscaled = Statistics.of(tensors | {"distance.scale": torch.ones(2 * len(LAYERS))})
    distances = unscaled.distances(cal)
    scale = np.quantile(distances, 0.99, axis=0)
    tensors["distance.scale"] = torch.from_numpy(scale).float()
    ratios = (distances / scale).max(1)
    own_share = unscaled.recognise(cal)[:, 0]
    numbers = {
        "kinds": kinds,
        "own_minimum": min(0.5, float(np.quantile(own_share, 1 - OWN_KIND))),
        "reject_distance": 1.1 * float(np.quantile(ratios, NOT_REJECTED)),
        "doubt_distance": float(np.quantile(ratios, NOT_DOUBTED)),
    }
    return Fit(numbers, {name: value.contiguous().clone() for name, value in tensors.items()})


def foreignness(output: Output, fit: Fit) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return one score per input, higher meaning less like the own kind.

    The larger of the two checks, each relative to its limit: `distance / reject_distance` and
    `log p(own) / log own_minimum`.
    """
    check = fit.check
    own = np.maximum(check.statistics.recognise(output)[:, 0], 1e-30)
    head = np.log(own) / math.log(check.own_minimum)
    distance = check.statistics.distances(output).max(1) / check.reject_distance
    return np.asarray(np.maximum(head, distance), np.float64)


def _fit_head(groups: Sequence[Output]) -> dict[str, Tensor]:
    """Multinomial logistic regression on both layers, the own kind first, classes balanced.

    Each value is standardised by the own kind and bounded (`contracts.features.bounded`); the
    regression standardises once more, which its coefficients take in.
    """
    raw = [both_layers(group) for group in groups]
    own = torch.from_numpy(raw[0])
    tensors = {
        "head.mean": own.mean(0),
        "head.scale": own.std(0).clamp_min(1e-3),
        "head.limit": torch.tensor(HEAD_LIMIT),
    }
    own_mean, own_scale = tensors["head.mean"].numpy(), tensors["head.scale"].numpy()
    features = np.concatenate(
        [bounded(values, own_mean, own_scale, HEAD_LIMIT) for values in raw], dtype=np.float64
    )
    labels = np.repeat(np.arange(len(groups)), [len(values) for values in raw])
    mean, scale = features.mean(0), np.maximum(features.std(0, ddof=1), 1e-3)
    model = LogisticRegression(C=0.01, max_iter=1000, class_weight="balanced")
    model.fit((features - mean) / scale, labels)
    coefficients, intercept = model.coef_ / scale, model.intercept_
    intercept = intercept - coefficients @ mean
    if len(groups) == 2:  # scikit-learn gives one row for two classes
        coefficients = np.vstack((-coefficients, coefficients)) / 2
        intercept = np.hstack((-intercept, intercept)) / 2
    return tensors | {
        "head.weight": torch.from_numpy(coefficients).float(),
        "head.bias": torch.from_numpy(intercept).float(),
    }


def _fit_basis(features: Tensor, layer: str) -> dict[str, Tensor]:
    """Standardise, take the leading components and their shrunk variances."""
    mean, scale = features.mean(0), features.std(0).clamp_min(1e-3)
    centred = ((features - mean) / scale).double()
    count = min(COMPONENTS[layer], len(centred) - 1, centred.shape[1] - 1)
    _, singular, rows = torch.linalg.svd(centred, full_matrices=False)
    variance = singular[:count].square() / (len(centred) - 1)
    shrunk = 0.95 * variance + 0.05 * variance.mean()
    return {
        f"{layer}.mean": mean,
        f"{layer}.scale": scale,
        f"{layer}.basis": rows[:count].half(),
        f"{layer}.variance": shrunk.float(),
    }


def other_pictures(count: int, own: ImageBank, seed: int) -> ImageBank:
    """Generate pictures of no modality; every fourth is an own image with shuffled patches."""
    rng = np.random.default_rng(seed)
    height, width = own.images.shape[-2:]
    pictures = []
    for index in range(count):
        if index % 4:
            pictures.append(generate(rng, height, width))
        else:
            source = own.images[int(rng.integers(len(own))), 0].permute(1, 2, 0).numpy()
            pictures.append(shuffle_patches(source, rng))
    images = np.stack(pictures)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).unsqueeze(1).contiguous()
    return ImageBank(tensor, torch.zeros(count, dtype=torch.long))
