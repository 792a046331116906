"""The seam between the service and what computes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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

    @property
    def spreads_alone(self) -> bool:
        """Whether a call that is alone is computed in another way, on the other cores, too."""

    def infer(self, batch: Tensor, *, alone: bool = False) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`.

        `alone` says that nothing else computes here: the call may take the other cores, too.
        """


def ways_of(backend: Backend) -> list[Callable[[Tensor], Output]]:
    """Return each way in which a backend computes: what is checked must be checked in all."""
    if backend.spreads_alone:
        return [backend.infer, partial(backend.infer, alone=True)]
    return [backend.infer]
