"""torch on a CPU (channels last, float32) or on CUDA (channels last, bfloat16 autocast)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from contracts.network import Output, forward_features

#: Batches on CUDA are padded to one of these, so that cuDNN plans few shapes.
CUDA_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class TorchBackend:
    """Runs the network itself; the network belongs to it from now on."""

    name = "torch"

    def __init__(self, network: nn.Module, device: str, *, reduced_precision: bool = True) -> None:
        """`device` is `cpu` or `cuda`; `reduced_precision` counts on CUDA only."""
        self._network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._device = torch.device(device)
        self._reduced = reduced_precision and self._device.type == "cuda"

    @property
    def device(self) -> str:
        """The device it computes on."""
        return str(self._device)

    def infer(self, batch: Tensor) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`."""
        cases = len(batch)
        with torch.inference_mode():
            moved = self._move(batch)
            with torch.autocast(self._device.type, torch.bfloat16, enabled=self._reduced):
                output = forward_features(self._network, moved)
        return Output(
            output.logits[:cases].float().cpu(),
            output.middle[:cases].float().cpu(),
            output.penultimate[:cases].float().cpu(),
        )

    def _move(self, batch: Tensor) -> Tensor:
        """Bring a batch to the device, padded with its last case on CUDA."""
        if self._device.type != "cuda":
            return batch.contiguous(memory_format=torch.channels_last)
        size = next((size for size in CUDA_SIZES if size >= len(batch)), len(batch))
        padding = batch[-1:].expand(size - len(batch), -1, -1, -1)
        padded = torch.cat([batch, padding]).pin_memory()
        return padded.to(self._device, non_blocking=True, memory_format=torch.channels_last)
