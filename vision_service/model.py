"""From a model file to something that computes: verify, build, compile, compare, self-test."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from contracts.checkpoint import Checkpoint, load_checkpoint
from contracts.errors import BadCheckpoint
from contracts.modality import ImageSpec, Modality
from contracts.release import reference_of
from contracts.schemas import ModelRef
from contracts.validity import ValidityCheck, validity_of
from contracts.views import Views, views_of
from vision_service.backends.backend import Backend, ways_of
from vision_service.backends.torch import TorchBackend
from vision_service.compiled import Compiled, compile_model, kept_or_compiled
from vision_service.golden import (
    check_golden,
    each_logits,
    golden_batch,
    reference_logits,
    spec_of,
)
from vision_service.graph import DamagedGraph
from vision_service.network import LazyNetwork
from vision_service.parity import LOGIT_TOLERANCE, REDUCED_LOGIT_TOLERANCE, compare

BackendName = Literal["auto", "torch", "onnxruntime"]
DeviceName = Literal["auto", "cpu", "cuda"]
_log = logging.getLogger("vision_service.model")


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """Where and with what to compute. `compiler` compiles instead of this process.

    `threads` and `threads_alone`: see the backend.
    """

    backend: BackendName = "auto"
    device: DeviceName = "auto"
    threads: int = 1
    threads_alone: int | None = None
    cache_dir: Path | None = None
    compiler: Callable[[Path], Compiled] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class VisionModel:
    """A verified model file and the backend that answers.

    `reference` is how answers name the file. `fell_back` says why the backend that was asked for is
    not the one that answers. `views` are there when the file was calibrated with test-time
    augmentation, `validity` when it holds the statistics of the input checks.
    """

    modality: Modality
    checkpoint: Checkpoint
    lazy_network: LazyNetwork
    backend: Backend
    image: ImageSpec
    golden_batch: Tensor
    reference: ModelRef
    fell_back: str | None = None
    views: Views | None = None
    validity: ValidityCheck | None = None

    @property
    def network(self) -> nn.Module:
        """The network in torch, for an influence map; built when it is first asked for."""
        return self.lazy_network.get()


def load_model(path: Path, modality: Modality, options: ModelOptions) -> VisionModel:
    """Return a model that repeated its golden logits.

    Raises FileNotFoundError when the file is missing and BadCheckpoint when it must not be
    served: digest, format, labels, weights, or golden logits are wrong.
    """
    checkpoint = load_checkpoint(path, modality)
    device = _device(options.device)
    network = LazyNetwork(checkpoint)
    chosen = _choose(path, network, device, options)
    check_golden(chosen.reference, checkpoint)
    backend, fell_back = chosen.backend, chosen.fell_back
    if backend is not None and (
        difference := _difference(backend, chosen.reference, checkpoint, modality)
    ):
        backend, fell_back = None, difference
    if fell_back:
        _log.warning("falling back to torch in float32", extra={"fields": {"reason": fell_back}})
    if backend is None:
        backend = TorchBackend(network.get(), device, reduced_precision=False)
    return VisionModel(
        modality,
        checkpoint,
        network,
        backend,
        spec_of(checkpoint),
        golden_batch(checkpoint),
        reference_of(checkpoint.release),
        fell_back,
        views_of(checkpoint.release),
        validity_of(checkpoint.release, checkpoint.validity),
    )


def _device(name: DeviceName) -> str:
    """Return `cpu` or `cuda`; raise BadCheckpoint when CUDA is asked for and not there."""
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise BadCheckpoint("CUDA was asked for, but this machine offers none")
    return name


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """The fast backend, or None and perhaps why; and the golden logits of torch in float32."""

    backend: Backend | None
    reference: Tensor
    fell_back: str | None = None


def _choose(path: Path, network: LazyNetwork, device: str, options: ModelOptions) -> _Choice:
    """Return the fast backend for this device, not yet compared."""
    checkpoint, fell_back = network.checkpoint, None
    if device == "cpu" and options.backend != "torch":
        from vision_service.backends.onnxruntime import OnnxBackend

        def compile_it() -> Compiled:
            return options.compiler(path) if options.compiler else compile_model(checkpoint)

        try:
            sha256 = checkpoint.release.sha256
            compiled = kept_or_compiled(compile_it, sha256, options.cache_dir)
            backend = OnnxBackend(compiled.graph, options.threads, options.threads_alone)
            return _Choice(backend, compiled.golden_logits)
        except (RuntimeError, ValueError, DamagedGraph) as error:
            fell_back = f"the graph could not be built: {type(error).__name__}"
    reference = reference_logits(network.get(), checkpoint)
    on_cuda = TorchBackend(network.get(), device) if device == "cuda" else None
    return _Choice(on_cuda, reference, fell_back)


def _difference(
    backend: Backend, reference: Tensor, checkpoint: Checkpoint, modality: Modality
) -> str | None:
    """Say how the golden answers differ from torch in float32; None when they agree."""
    reduced = backend.device.startswith("cuda")
    for infer in ways_of(backend):
        ours = each_logits(infer, golden_batch(checkpoint))
        parity = compare(ours, reference, checkpoint.release.decision, modality)
        if not parity.holds(REDUCED_LOGIT_TOLERANCE if reduced else LOGIT_TOLERANCE):
            return (
                f"{backend.name} on {backend.device} differs from torch in float32: probabilities "
                f"by {parity.max_difference:.1e}, logits by {parity.max_logit_difference:.1e}, "
                f"{parity.flips} answers"
            )
    return None
