"""The inputs on which influence maps are checked: findings that the network recognised.

Deletion and insertion ask how an answer goes with its evidence, so only answers that the network
gives can be asked about. Where lesions were drawn by hand, a case is a crop of two thirds of the
picture's sides at one of its corners: lesions are photographed in the middle, and a map that always
shows the middle would pass without having looked. In the crop, what was central lies off-centre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from contracts.images import decode_image
from contracts.modality import ImageSpec, Modality
from contracts.preprocessing import normalise, to_base
from training.explain.map_checks import Blurred, blur
from training.fit.inputs import loader_for
from training.manifest import Row

#: Side of a crop over the side of the picture.
CROP = 2 / 3
#: Share of the crop that a drawn lesion must cover: visible, and not so large that nobody misses.
LEAST_LESION, MOST_LESION = 0.01, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One input at input size, the label that is explained, its group and its lesion mask."""

    picture: Blurred
    label: int
    group: str
    mask: NDArray[np.bool_] | None


def find_cases(
    network: nn.Module, rows: Sequence[Row], modality: Modality, spec: ImageSpec, count: int
) -> list[Case]:
    """Return up to `count` recognised findings, the labels taken in turn."""
    found: list[Case] = []
    ordered = _in_turn(rows, modality)
    load = loader_for(ordered, modality)
    for index, row in enumerate(ordered):
        if len(found) == count:
            break
        fitted = _fitted(to_base(load(index, 0), spec), _mask(row, modality, spec), index, spec)
        if fitted is None:
            continue
        picture, mask = fitted
        label = _recognised(network, picture, spec, row, modality)
        if label is not None and _is_finding(label, mask, modality):
            pixels = np.asarray(picture, dtype=np.float32) / np.float32(255)
            found.append(Case(blur(pixels), label, row.group, mask))
    return found


def _in_turn(rows: Sequence[Row], modality: Modality) -> list[Row]:
    """The rows with the labels taken in turn, so that rare ones are not drowned."""
    by_label = [[row for row in rows if row.labels[:1] == (code,)] for code in modality.codes]
    return [row for turn in zip_longest(*by_label) for row in turn if row is not None]


def _is_finding(label: int, mask: NDArray[np.bool_] | None, modality: Modality) -> bool:
    """A drawn lesion is a finding whatever it is called; else the modality names its findings.

    Where several labels can hold at once, each but the first, which says that there is none.
    """
    if mask is not None:
        return True
    several = modality.activation == "sigmoid"
    named = () if several else modality.critical
    return modality.codes[label] in (named or modality.codes[1:])


def _fitted(
    picture: Image.Image, mask: Image.Image | None, index: int, spec: ImageSpec
) -> tuple[Image.Image, NDArray[np.bool_] | None] | None:
    """The picture at input size, cropped when a lesion is drawn; None without a usable lesion."""
    size = (spec.width, spec.height)
    if mask is None:
        return picture.resize(size, Image.Resampling.BILINEAR), None
    box = _corner_box(picture.size, index)
    drawn = np.asarray(mask.crop(box).resize(size, Image.Resampling.BILINEAR).convert("L")) > 127
    if not LEAST_LESION <= drawn.mean() <= MOST_LESION:
        return None
    return picture.crop(box).resize(size, Image.Resampling.BILINEAR), drawn


def _corner_box(size: tuple[int, int], index: int) -> tuple[int, int, int, int]:
    """The crop of one corner; the corners change from case to case."""
    width, height = round(size[0] * CROP), round(size[1] * CROP)
    left = (size[0] - width) * (index % 2)
    top = (size[1] - height) * (index // 2 % 2)
    return left, top, left + width, top + height


def _mask(row: Row, modality: Modality, spec: ImageSpec) -> Image.Image | None:
    """The lesion mask fitted as the picture is, or None."""
    name = row.attributes.get("mask")
    if not name:
        return None
    mask = decode_image((row.path.parent / name).read_bytes(), modality.limits).image
    return to_base(mask, spec)


def _recognised(
    network: nn.Module, picture: Image.Image, spec: ImageSpec, row: Row, modality: Modality
) -> int | None:
    """The strongest label that the network gives and the row holds, or None.

    It gives the most probable label; where several can hold, those above one half.
    """
    with torch.inference_mode():
        logits = network(normalise(picture, spec)[None])[0].tolist()
    if modality.activation == "softmax":
        given = [logits.index(max(logits))]
    else:
        given = [label for label, logit in enumerate(logits) if logit > 0]
    held = [label for label in given if modality.codes[label] in row.labels]
    return max(held, default=None, key=lambda label: float(logits[label]))
