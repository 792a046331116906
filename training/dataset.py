"""The images of one part as one uint8 tensor, decoded by the code that serves.

Most parts fit in memory at the canonical size (10,000 images of 224 pixels: 1.5 GB), so there are
no loader workers in the loop and the batch is augmented where the network is. A larger part (all
of PTB-XL in eight variants: 47 GB) lies in an unnamed temporary file mapped into memory.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Generator, Tensor

from contracts.modality import ImageSpec, Modality
from training.config import TrainConfig

#: (row index, variant) → upright RGB picture; variant 0 is the clean one.
Loader = Callable[[int, int], Image.Image]


@dataclass(frozen=True, slots=True)
class ImageBank:
    """Images uint8 `[N, V, 3, H, W]` at the canonical size and targets.

    Targets are class indices `[N]` (softmax) or float `[N, K]` (independent labels).
    """

    images: Tensor
    targets: Tensor

    def __len__(self) -> int:
        """Number of inputs, whatever the number of variants."""
        return len(self.images)

    def pick(self, indices: Tensor, generator: Generator | None = None) -> Tensor:
        """Return uint8 `[B, 3, H, W]`: the clean variant, or a random one with a generator."""
        if generator is None or self.images.shape[1] == 1:
            return self.images[indices, 0]
        variants = torch.randint(self.images.shape[1], (len(indices),), generator=generator)
        return self.images[indices, variants]


def load_bank(
    count: int, load: Loader, targets: Tensor, spec: ImageSpec, *, variants: int = 1
) -> ImageBank:
    """Decode `count` inputs and keep each at the spec's canonical base size."""
    from contracts.preprocessing import to_base

    images = allocate((count, variants, 3, spec.base_height, spec.base_width))
    for index in range(count):
        for variant in range(variants):
            pixels = np.array(to_base(load(index, variant), spec))
            images[index, variant] = torch.from_numpy(pixels).permute(2, 0, 1)
    return ImageBank(images, targets)


def allocate(shape: tuple[int, ...], *, most_bytes: int | None = None) -> Tensor:
    """Return an uninitialised uint8 tensor, in a file when larger than half of the memory.

    The file is in the system's folder for temporary files (`TMPDIR`) and goes with the process.
    `most_bytes` replaces that half. Raises OSError when the disk is too small as well.
    """
    size = math.prod(shape)
    if most_bytes is None:
        most_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    if size <= most_bytes:
        return torch.empty(shape, dtype=torch.uint8)
    with tempfile.NamedTemporaryFile(prefix="images-") as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return torch.from_file(file.name, shared=True, size=size, dtype=torch.uint8).view(shape)


def encode_targets(labels: Sequence[str], modality: Modality) -> Tensor:
    """Turn manifest labels into targets; several labels of one row are joined by `;`.

    Raises ValueError for a label that the modality does not have.
    """
    index = {code: position for position, code in enumerate(modality.codes)}
    try:
        if modality.activation == "softmax":
            return torch.tensor([index[label] for label in labels])
        targets = torch.zeros((len(labels), len(index)))
        for row, label in enumerate(labels):
            for code in label.split(";"):
                targets[row, index[code]] = 1.0
    except KeyError as error:
        raise ValueError(f"the manifest holds a label that {modality.id} does not have") from error
    return targets


def class_counts(targets: Tensor, outputs: int) -> Tensor:
    """Number of inputs per class, at least one each."""
    if targets.ndim == 2:
        return targets.sum(0).clamp_min(1)
    return torch.bincount(targets, minlength=outputs).float().clamp_min(1)


def epoch_batches(
    bank: ImageBank, config: TrainConfig, outputs: int, *, seed: int, rank: int = 0, world: int = 1
) -> Iterator[Tensor]:
    """Yield index batches of one epoch for one of `world` processes.

    With the sampler, classes are drawn with replacement at weight `count ** -power`; otherwise
    every input once. The last incomplete batch is dropped unless it is the only one.
    """
    generator = Generator().manual_seed(seed)
    if config.imbalance == "sampler" and bank.targets.ndim == 1:
        counts = class_counts(bank.targets, outputs)
        weights = counts.pow(-config.imbalance_power)[bank.targets]
        order = torch.multinomial(weights, len(bank), replacement=True, generator=generator)
    else:
        order = torch.randperm(len(bank), generator=generator)
    order = order[rank::world]
    size = min(config.batch_size, len(order))
    for start in range(0, len(order) - size + 1, size):
        yield order[start : start + size]
