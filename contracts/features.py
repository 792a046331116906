"""What a model file knows of the features of its training part: modality head and distances.

Two layers of the served network are used: a pooled middle block, where acquisition shift shows,
and the penultimate features. On each layer one PCA basis of the training features serves two
distances: Mahalanobis inside the basis and the residual norm outside it (logits alone fail in
medicine: OpenMIBOOD, CVPR 2025). Each distance is divided by its 99 % point on the calibration
part. The modality head reads both layers, each value in standard deviations of the own kind and
bounded: a network that has seen only grey pictures answers colour with features ten thousand
times as large. The tensors of the file become float32 arrays once, when it is loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from contracts.errors import BadCheckpoint
from contracts.network import Output

LAYERS = ("middle", "penultimate")
_OF_LAYER = ("mean", "scale", "basis", "variance")
Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """The modality head: a linear layer on standardised, bounded features.

    `mean` and `scale` are `[F]`, `weight` is `[K, F]`, `bias` `[K]`; `limit` is in standard
    deviations.
    """

    mean: Array
    scale: Array
    limit: float
    weight: Array
    bias: Array

    def probabilities(self, features: Array) -> Array:
        """Return the share of each kind `[B, K]` for features `[B, F]`."""
        scaled = bounded(features, self.mean, self.scale, self.limit)
        logits = scaled @ self.weight.T + self.bias
        weights = np.exp(logits - logits.max(1, keepdims=True))
        return np.asarray(weights / weights.sum(1, keepdims=True))


@dataclass(frozen=True, slots=True, eq=False)
class Subspace:
    """The leading components of one layer: `mean`, `scale` `[F]`, `basis` `[C, F]`, `variance`."""

    mean: Array
    scale: Array
    basis: Array
    variance: Array

    def squared_distances(self, features: Array) -> tuple[Array, Array]:
        """Return the squares of Mahalanobis inside the basis and of the residual norm, `[B]`."""
        centred = (features - self.mean) / self.scale
        inside = centred @ self.basis.T
        mahalanobis = np.vecdot(inside, inside / self.variance)
        return mahalanobis, np.vecdot(centred, centred) - np.vecdot(inside, inside)


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """What a model file knows of its features, in float32; `scale` `[4]` is that of distances."""

    head: Head
    subspaces: tuple[Subspace, ...]
    scale: Array

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor]) -> Self:
        """Read the tensors of a model file; raise BadCheckpoint when one is missing."""
        arrays = {name: tensor.float().numpy() for name, tensor in tensors.items()}
        try:
            subspaces = tuple(
                Subspace(*(arrays[f"{layer}.{name}"] for name in _OF_LAYER)) for layer in LAYERS
            )
            return cls(_head(arrays), subspaces, arrays["distance.scale"])
        except KeyError as error:
            raise BadCheckpoint("the file lacks a statistic of the input checks") from error

    def recognise(self, output: Output) -> Array:
        """Return the head's probabilities `[B, K]` for the features of a batch."""
        return self.head.probabilities(both_layers(output))

    def distances(self, output: Output) -> Array:
        """Return the four distances `[B, 4]` (two layers, two distances) over their 99 % points."""
        squares = [
            square
            for layer, subspace in zip(LAYERS, self.subspaces, strict=True)
            for square in subspace.squared_distances(getattr(output, layer).float().numpy())
        ]
        return np.asarray(np.sqrt(np.maximum(squares, 0)).T / self.scale, np.float32)


def both_layers(output: Output) -> Array:
    """Return the features of both layers side by side, `[B, M + F]`."""
    return np.concatenate([getattr(output, layer).float().numpy() for layer in LAYERS], 1)


def bounded(features: Array, mean: Array, scale: Array, limit: float) -> Array:
    """Return features `[B, F]` in standard deviations from the mean, none beyond the limit."""
    return ((features - mean) / scale).clip(-limit, limit)


def _head(arrays: Mapping[str, Array]) -> Head:
    """Read the head. That of an older file has no bound and no weights for the middle layer."""
    mean, scale, weight, bias = (
        arrays[f"head.{name}"] for name in ("mean", "scale", "weight", "bias")
    )
    if "head.limit" in arrays:
        return Head(mean, scale, float(arrays["head.limit"]), weight, bias)
    width = len(arrays["middle.mean"])
    return Head(
        np.pad(mean, (width, 0)),
        np.pad(scale, (width, 0), constant_values=1),
        np.inf,
        np.pad(weight, ((0, 0), (width, 0))),
        bias,
    )
