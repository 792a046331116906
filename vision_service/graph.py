"""A network as an ONNX graph, made in memory."""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from contracts.modality import ImageSpec
from contracts.network import forward_features

INPUT = "pictures"
_OUTPUTS = ("logits", "middle", "penultimate")


class DamagedGraph(RuntimeError):
    """The bytes of a graph are not those that were compiled."""


@dataclass(frozen=True, slots=True)
class Graph:
    """A compiled graph and the SHA-256 it had when it was made."""

    payload: bytes
    sha256: str

    def verified(self) -> bytes:
        """Return the payload; raise DamagedGraph when a byte changed since."""
        if hashlib.sha256(self.payload).hexdigest() != self.sha256:
            raise DamagedGraph("the compiled graph changed after it was made")
        return self.payload


class _AllOutputs(nn.Module):
    """Gives the three outputs as a tuple, which is what the exporter can follow."""

    def __init__(self, network: nn.Module) -> None:
        """`network` stays the caller's."""
        super().__init__()
        self.network = network

    def forward(self, batch: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits, middle and penultimate features."""
        output = forward_features(self.network, batch)
        return output.logits, output.middle, output.penultimate


def compile_graph(network: nn.Module, spec: ImageSpec) -> Graph:
    """Return the ONNX graph of a network in eval mode, for any batch size."""
    buffer = io.BytesIO()
    example = torch.zeros((1, 3, spec.height, spec.width))
    with torch.no_grad(), warnings.catch_warnings():
        # The tracing exporter is deprecated but five times faster than its successor, and the
        # graph is checked against torch before it answers anybody.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _AllOutputs(network).eval(),
            (example,),
            buffer,  # type: ignore[arg-type]  # a stream is taken as well
            dynamo=False,
            input_names=[INPUT],
            output_names=list(_OUTPUTS),
            dynamic_axes={name: {0: "cases"} for name in (INPUT, *_OUTPUTS)},
        )
    payload = buffer.getvalue()
    return Graph(payload, hashlib.sha256(payload).hexdigest())
