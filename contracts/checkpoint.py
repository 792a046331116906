"""Save and load `.pth` model files: the only user of torch.save and torch.load that serves.

Plain types and tensors only, `weights_only=True`, `strict=True`, digest first, all finite.
Floating-point weights are stored as float16, BatchNorm running statistics as float32.
"""

from __future__ import annotations

import io
import os
import pickle
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from contracts.errors import BadCheckpoint
from contracts.modality import Modality
from contracts.network import all_finite, build_network
from contracts.release import Release, add_sum, check_release, read_verified, release_from_plain

#: Largest difference of a golden logit that half precision and another CPU may make.
GOLDEN_TOLERANCE = 2e-2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model file in memory: what it says, its weights, and the tensors that travel with it.

    `golden_input` is uint8 `[N, 3, H, W]` before normalisation, `golden_logits` float32 `[N, K]`.
    `validity` holds the modality head and the feature statistics by name.
    """

    release: Release
    weights: dict[str, Tensor]
    golden_input: Tensor
    golden_logits: Tensor
    validity: dict[str, Tensor] = field(default_factory=dict)

    @property
    def parameters(self) -> int:
        """Number of learnable values; running statistics and counters are none."""
        return sum(
            tensor.numel()
            for name, tensor in self.weights.items()
            if "running_" not in name and not name.endswith("num_batches_tracked")
        )


def half_precision(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy with float16 weights; BatchNorm running statistics stay float32."""
    return {
        name: tensor.detach().to("cpu", _stored_dtype(name, tensor), copy=True).contiguous()
        for name, tensor in weights.items()
    }


def save_checkpoint(checkpoint: Checkpoint, folder: Path) -> Path:
    """Write `v<version>.pth` and its digest; never overwrite; half a file never looks whole.

    Raises FileExistsError when the version exists and BadCheckpoint for non-finite values.
    """
    tensors = checkpoint.weights | checkpoint.validity
    if not all_finite(tensors) or not all_finite({"golden": checkpoint.golden_logits}):
        raise BadCheckpoint("a weight or statistic is not finite")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"v{checkpoint.release.version}.pth"
    part = path.with_suffix(".pth.part")
    with part.open("wb") as stream:
        torch.save(
            checkpoint.release.to_plain()
            | {
                "golden_input": checkpoint.golden_input,
                "golden_logits": checkpoint.golden_logits,
                "validity_tensors": checkpoint.validity,
                "weights": checkpoint.weights,
            },
            stream,
        )
        stream.flush()
        os.fsync(stream.fileno())
    try:
        os.link(part, path)
    finally:
        part.unlink()
    add_sum(path)
    return path


def load_checkpoint(path: Path, modality: Modality) -> Checkpoint:
    """Read a model file for one modality: every check that needs no forward pass.

    Raises FileNotFoundError when it is missing and BadCheckpoint when it must not be served.
    """
    checkpoint = read_checkpoint(path)
    check_release(checkpoint.release, modality)
    return checkpoint


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a model file of whatever modality: digest, then `weights_only`, then its members.

    Raises as `load_checkpoint`.
    """
    payload, digest = read_verified(path)
    try:
        plain = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, ValueError, EOFError, KeyError, OSError) as error:
        raise BadCheckpoint("the file is no model file of plain types") from error
    if not isinstance(plain, dict):
        raise BadCheckpoint("the file holds no dict")
    release = release_from_plain(plain, digest)
    try:
        checkpoint = Checkpoint(
            release=release,
            weights=plain["weights"],
            golden_input=plain["golden_input"],
            golden_logits=plain["golden_logits"],
            validity=plain["validity_tensors"],
        )
        finite = all_finite(checkpoint.weights | checkpoint.validity)
    except (KeyError, TypeError, AttributeError) as error:
        raise BadCheckpoint("the file lacks weights, golden cases or statistics") from error
    if not finite:
        raise BadCheckpoint("a weight or statistic is not finite")
    return checkpoint


def build_from(checkpoint: Checkpoint) -> nn.Module:
    """Return the float32 network of a checkpoint in eval mode; BadCheckpoint if keys differ."""
    network = build_network(checkpoint.release.arch, len(checkpoint.release.labels))
    try:
        network.load_state_dict(checkpoint.weights, strict=True)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise BadCheckpoint("the weights do not fit the network") from error
    return network.eval()


def with_release(checkpoint: Checkpoint, **changes: object) -> Checkpoint:
    """Return the checkpoint with some members of its release replaced."""
    return replace(checkpoint, release=replace(checkpoint.release, **changes))  # type: ignore[arg-type]


def _stored_dtype(name: str, tensor: Tensor) -> torch.dtype:
    """float16 for weights, float32 for running statistics, unchanged for counters."""
    if not tensor.is_floating_point():
        return tensor.dtype
    return torch.float32 if "running_" in name else torch.float16
