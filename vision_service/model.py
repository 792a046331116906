"""From a model file to something that computes: verify, build, compile, compare, self-test."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from contracts.checkpoint import GOLDEN_TOLERANCE, Checkpoint, build_from, load_checkpoint
from contracts.errors import BadCheckpoint
from contracts.modality import ImageSpec, Modality
from contracts.network import Output, forward_features
from contracts.views import Views, views_of
from vision_service.backends.backend import Backend
from vision_service.backends.torch import TorchBackend
from vision_service.graph import DamagedGraph, Graph, cached_graph, compile_graph
from vision_service.parity import LOGIT_TOLERANCE, REDUCED_LOGIT_TOLERANCE, compare

BackendName = Literal["auto", "torch", "onnxruntime"]
DeviceName = Literal["auto", "cpu", "cuda"]
_log = logging.getLogger("vision_service.model")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Where and with what to compute. `compiler` makes the graph instead of this process."""

    backend: BackendName = "auto"
    device: DeviceName = "auto"
    threads: int = 1
    cache_dir: Path | None = None
    compiler: Callable[[Path], Graph] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VisionModel:
    """A verified model file, its network (for explanations) and the backend that answers.

    `fell_back` says why the backend that was asked for is not the one that answers. `views` are
    there when the file was calibrated with test-time augmentation.
    """

    modality: Modality
    checkpoint: Checkpoint
    network: nn.Module
    backend: Backend
    image: ImageSpec
    golden_batch: Tensor
    fell_back: str | None = None
    views: Views | None = None


def load_model(path: Path, modality: Modality, options: ModelOptions) -> VisionModel:
    """Return a model that repeated its golden logits.

    Raises FileNotFoundError when the file is missing and BadCheckpoint when it must not be
    served: digest, format, labels, weights, or golden logits are wrong.
    """
    checkpoint = load_checkpoint(path, modality)
    network = build_from(checkpoint).requires_grad_(False)
    image = checkpoint.release.image
    if image is None:
        raise BadCheckpoint("the file does not say how pictures are prepared")
    golden = normalise_golden(checkpoint.golden_input, image)
    reference = _reference_logits(network, golden, checkpoint)
    device = _device(options.device)
    backend, fell_back = _choose(path, checkpoint, network, device, options)
    if backend is not None:
        parity = compare(
            each_logits(backend.infer, golden), reference, checkpoint.release.decision, modality
        )
        tolerance = REDUCED_LOGIT_TOLERANCE if device == "cuda" else LOGIT_TOLERANCE
        if not parity.holds(tolerance):
            fell_back = (
                f"{backend.name} on {device} differs from torch in float32: probabilities by "
                f"{parity.max_difference:.1e}, logits by {parity.max_logit_difference:.1e}, "
                f"{parity.flips} answers"
            )
            backend = None
    if fell_back:
        _log.warning("falling back to torch in float32", extra={"fields": {"reason": fell_back}})
    if backend is None:
        backend = TorchBackend(network, device, reduced_precision=False)
    views = views_of(checkpoint.release)
    return VisionModel(modality, checkpoint, network, backend, image, golden, fell_back, views)


def normalise_golden(pictures: Tensor, spec: ImageSpec) -> Tensor:
    """Return the float32 batch of uint8 `[N, 3, H, W]` as `contracts.images` normalises it."""
    mean, std = torch.tensor(spec.mean)[:, None, None], torch.tensor(spec.std)[:, None, None]
    return ((pictures.float() / 255.0 - mean) / std).contiguous()


def each_logits(infer: Callable[[Tensor], Output], batch: Tensor) -> Tensor:
    """Return the logits of a batch, computed case by case.

    As on a CPU every input is; and the room for a whole batch would stay allocated.
    """
    return torch.cat([infer(case).logits for case in torch.split(batch, 1)])


def _reference_logits(network: nn.Module, golden: Tensor, checkpoint: Checkpoint) -> Tensor:
    """Return the network's golden logits; raise BadCheckpoint when the file says otherwise."""
    try:
        with torch.inference_mode():
            logits = each_logits(lambda case: forward_features(network, case), golden)
    except (RuntimeError, TypeError) as error:
        raise BadCheckpoint("the network cannot read its own golden cases") from error
    stored = checkpoint.golden_logits
    if logits.shape != stored.shape or not bool(
        ((logits - stored).abs() <= GOLDEN_TOLERANCE).all()
    ):
        raise BadCheckpoint("the golden cases do not give the stored logits")
    return logits


def _device(name: DeviceName) -> str:
    """Return `cpu` or `cuda`; raise BadCheckpoint when CUDA is asked for and not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise BadCheckpoint("CUDA was asked for, but this machine offers none")
    return name


def _choose(
    path: Path, checkpoint: Checkpoint, network: nn.Module, device: str, options: ModelOptions
) -> tuple[Backend | None, str | None]:
    """Return the fast backend for this device, or None and, if it failed, the reason."""
    if device == "cuda":
        return TorchBackend(network, device), None
    if options.backend == "torch":
        return None, None
    from vision_service.backends.onnxruntime import OnnxBackend

    def compile_it() -> Graph:
        if options.compiler is not None:
            return options.compiler(path)
        image = checkpoint.release.image
        assert image is not None, "checked when the file was loaded"
        return compile_graph(network, image)

    try:
        graph = cached_graph(compile_it, checkpoint.release.sha256, options.cache_dir)
        return OnnxBackend(graph, options.threads), None
    except (RuntimeError, ValueError, DamagedGraph) as error:
        return None, f"the graph could not be built: {type(error).__name__}"
