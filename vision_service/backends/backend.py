"""The seam between the service and what computes."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor

from contracts.network import Output


class Backend(Protocol):
    """Computes one batch; safe to call from several threads."""

    @property
    def name(self) -> str:
        """`torch` or `onnxruntime`."""

    @property
    def device(self) -> str:
        """`cpu` or the CUDA device."""

    def infer(self, batch: Tensor, *, alone: bool = False) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`.

        `alone` says that nothing else computes here: the call may take the other cores, too.
        """
