"""torch on a CPU (channels last, float32) or on CUDA (channels last, bfloat16 autocast, graphs)."""

from __future__ import annotations

import threading

import torch
from torch import Tensor, nn

from contracts.network import Output, forward_features
from vision_service.backends.captured import CapturedForward

#: Batches on CUDA are padded to one of these; each size is captured once.
CUDA_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class TorchBackend:
    """Runs the network itself; the network belongs to it from now on."""

    name = "torch"
    spreads_alone = False

    def __init__(self, network: nn.Module, device: str, *, reduced_precision: bool = True) -> None:
        """`device` is `cpu` or `cuda`; `reduced_precision` counts on CUDA only."""
        self._network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = torch.device(device)
        self._reduced = reduced_precision and self._device.type == "cuda"
        self._captured: dict[torch.Size, CapturedForward] = {}
        self._one_at_a_time = threading.Lock()

    @property
    def device(self) -> str:
        """The device it computes on."""
        return str(self._device)

    def infer(self, batch: Tensor, *, alone: bool = False) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`.

        `alone` changes nothing: torch has one number of threads for the whole process.
        """
        with torch.inference_mode():
            if self._device.type != "cuda":
                return self._forward(batch.contiguous(memory_format=torch.channels_last))
            with self._one_at_a_time:
                return _first(self._replay(batch), len(batch))

    def _replay(self, batch: Tensor) -> Output:
        """Run the graph of the next larger size, which is captured when it is first needed."""
        size = next((size for size in CUDA_SIZES if size >= len(batch)), len(batch))
        shape = torch.Size((size, *batch.shape[1:]))
        if shape not in self._captured:
            self._captured[shape] = CapturedForward(self._forward, shape, self._device)
        return self._captured[shape](batch)

    def _forward(self, batch: Tensor) -> Output:
        """Run the network on a batch that is on its device."""
        # What autocast keeps between calls would not be there when a graph is replayed.
        with torch.autocast(
            self._device.type, torch.bfloat16, enabled=self._reduced, cache_enabled=False
        ):
            return forward_features(self._network, batch)


def _first(output: Output, cases: int) -> Output:
    """Copy the rows of so many cases to the CPU."""
    return Output(
        output.logits[:cases].float().cpu(),
        output.middle[:cases].float().cpu(),
        output.penultimate[:cases].float().cpu(),
    )
