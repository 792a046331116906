"""Is this input what the model was made for? A modality head and a distance in feature space.

Two layers of the served network are used: a pooled middle block, where acquisition shift shows,
and the penultimate features. On each layer one PCA basis of the training features serves two
distances: Mahalanobis inside the basis and the residual norm outside it (logits alone fail in
medicine: OpenMIBOOD, CVPR 2025). Each distance is divided by its 99 % point on the calibration
part; the score is the largest of the four ratios. The modality head reads both layers, each value
in standard deviations of the own kind and bounded: a network that has seen only grey pictures
answers colour with features ten thousand times as large. All numbers travel in the model file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from contracts.errors import BadCheckpoint
from contracts.network import Output
from contracts.schemas import Reason

LAYERS = ("middle", "penultimate")
OTHER = "other"


@dataclass(frozen=True, slots=True)
class Validity:
    """What the checks say of one input. `rejections` end the answer; `doubts` make it abstain.

    `probabilities` are those of the modality head; `distance` is the score, 1 being as far as
    the farthest hundredth of the calibration part.
    """

    rejections: tuple[Reason, ...]
    doubts: tuple[Reason, ...]
    looks_like: str
    probabilities: dict[str, float]
    distance: float


def recognise(output: Output, tensors: dict[str, Tensor], kinds: list[str]) -> Tensor:
    """Return the head's probabilities `[B, len(kinds)]` for the features of a batch.

    The head of an older file reads the penultimate features alone, without a bound.
    """
    if "head.limit" in tensors:
        scaled = bounded(output, tensors)
    else:
        scaled = (output.penultimate.float() - tensors["head.mean"]) / tensors["head.scale"]
    logits = scaled @ tensors["head.weight"].T + tensors["head.bias"]
    if logits.shape[1] != len(kinds):
        raise BadCheckpoint("the modality head and its kinds differ in number")
    return logits.softmax(1)


def bounded(output: Output, tensors: dict[str, Tensor]) -> Tensor:
    """Return both layers `[B, M + F]`, standardised by `head.mean` and `head.scale`, clamped."""
    features = torch.cat([getattr(output, layer) for layer in LAYERS], 1).float()
    limit = float(tensors["head.limit"])
    return ((features - tensors["head.mean"]) / tensors["head.scale"]).clamp(-limit, limit)


def distance_ratios(output: Output, tensors: dict[str, Tensor]) -> Tensor:
    """Return the four distances `[B, 4]` (two layers, two distances) over their 99 % points."""
    columns = []
    for layer in LAYERS:
        inside, outside = raw_distances(getattr(output, layer).float(), tensors, layer)
        columns += [inside, outside]
    return torch.stack(columns, 1) / tensors["distance.scale"]


def raw_distances(
    features: Tensor, tensors: dict[str, Tensor], layer: str
) -> tuple[Tensor, Tensor]:
    """Return Mahalanobis inside the PCA basis and the residual norm outside it, each `[B]`."""
    centred = (features - tensors[f"{layer}.mean"]) / tensors[f"{layer}.scale"]
    basis = tensors[f"{layer}.basis"].float()
    inside = centred @ basis.T
    mahalanobis = (inside.square() / tensors[f"{layer}.variance"]).sum(1).sqrt()
    residual = (centred.square().sum(1) - inside.square().sum(1)).clamp_min(0).sqrt()
    return mahalanobis, residual


def assess(
    output: Output, tensors: dict[str, Tensor], numbers: dict[str, Any], own: str
) -> Validity:
    """Judge a batch of one by tensors and numbers (kinds and limits) of the model file.

    Raises BadCheckpoint when a statistic is missing.
    """
    try:
        kinds = list(numbers["kinds"])
        first = Output(output.logits[:1], output.middle[:1], output.penultimate[:1])
        chances = recognise(first, tensors, kinds)[0]
        ratios = distance_ratios(first, tensors)
        probabilities = {kind: float(p) for kind, p in zip(kinds, chances, strict=True)}
        distance = float(ratios.max())
        own_minimum = float(numbers["own_minimum"])
        reject_distance = float(numbers["reject_distance"])
        doubt_distance = float(numbers["doubt_distance"])
    except KeyError as error:
        raise BadCheckpoint("the file lacks a statistic of the input checks") from error
    looks_like = max(probabilities, key=probabilities.__getitem__)
    rejections: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()
    if probabilities[own] < own_minimum:
        rejections = (_foreign(looks_like, own),)
    elif distance > reject_distance:
        rejections = (_unlike(),)
    elif distance > doubt_distance:
        doubts = (_unusual(),)
    return Validity(rejections, doubts, looks_like, probabilities, distance)


def _foreign(looks_like: str, own: str) -> Reason:
    """The modality head says that this is something else."""
    if looks_like in (OTHER, own):
        return _unlike()
    return Reason(
        code="wrong_modality",
        message="The input looks like another kind of picture. Send it to the service for "
        "that kind, or check that the right file was chosen.",
        looks_like=looks_like,
    )


def _unlike() -> Reason:
    """Too far from everything the model was trained on."""
    return Reason(
        code="out_of_distribution",
        message="The input is unlike anything the model was trained on, so no score is given. "
        "Check that it is the right kind of picture; films of adults, screenshots and photographs "
        "of a screen are common causes.",
    )


def _unusual() -> Reason:
    """Right kind, but at the edge of the training data."""
    return Reason(
        code="unusual_input",
        message="The input is at the edge of what the model was trained on. "
        "Have the case read by a person.",
    )
