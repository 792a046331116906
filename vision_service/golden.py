"""The golden cases of a model file: what torch in float32 makes of them, and what it must."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from contracts.checkpoint import GOLDEN_TOLERANCE, Checkpoint
from contracts.errors import BadCheckpoint
from contracts.modality import ImageSpec
from contracts.network import Output, forward_features


def spec_of(checkpoint: Checkpoint) -> ImageSpec:
    """Return how pictures are prepared; raise BadCheckpoint when the file does not say."""
    if checkpoint.release.image is None:
        raise BadCheckpoint("the file does not say how pictures are prepared")
    return checkpoint.release.image


def golden_batch(checkpoint: Checkpoint) -> Tensor:
    """Return the golden cases as the network takes them, float32 `[N, 3, H, W]`."""
    return normalise_golden(checkpoint.golden_input, spec_of(checkpoint))


def normalise_golden(pictures: Tensor, spec: ImageSpec) -> Tensor:
    """Normalise uint8 `[N, 3, H, W]` as `contracts.preprocessing` does: a float32 batch."""
    mean, std = torch.tensor(spec.mean)[:, None, None], torch.tensor(spec.std)[:, None, None]
    return ((pictures.float() / 255.0 - mean) / std).contiguous()


def each_logits(infer: Callable[[Tensor], Output], batch: Tensor) -> Tensor:
    """Return the logits of a batch, computed case by case.

    As on a CPU every input is; and the room for a whole batch would stay allocated.
    """
    return torch.cat([infer(case).logits for case in torch.split(batch, 1)])


def reference_logits(network: nn.Module, checkpoint: Checkpoint) -> Tensor:
    """Return what a float32 network on the CPU makes of the golden cases.

    Raises BadCheckpoint when it cannot read them.
    """
    try:
        with torch.inference_mode():
            return each_logits(
                lambda case: forward_features(network, case), golden_batch(checkpoint)
            )
    except (RuntimeError, TypeError) as error:
        raise BadCheckpoint("the network cannot read its own golden cases") from error


def check_golden(logits: Tensor, checkpoint: Checkpoint) -> None:
    """Raise BadCheckpoint unless these are the logits that the file holds, within tolerance."""
    stored = checkpoint.golden_logits
    if logits.shape != stored.shape or not bool(
        ((logits - stored).abs() <= GOLDEN_TOLERANCE).all()
    ):
        raise BadCheckpoint("the golden cases do not give the stored logits")
