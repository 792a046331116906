"""Mixed precision by device: bf16 where it helps, fp16 with a scaler, or neither.

On a CPU the backward pass of depthwise convolutions is 5 to 15 times slower in bf16 than in
float32 (docs/decisions), so these layers stay in float32 there.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from training.config import TrainConfig


class DepthwiseConv2d(nn.Conv2d):
    """A depthwise convolution that computes in float32 under autocast; same parameters."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve in float32 whatever the surrounding autocast."""
        with torch.autocast(input.device.type, enabled=False):
            return super().forward(input.float())


def keep_depthwise_in_float32(network: nn.Module) -> None:
    """Switch every depthwise convolution of a network to float32, in place."""
    for module in network.modules():
        if type(module) is nn.Conv2d and 1 < module.groups == module.in_channels:
            module.__class__ = DepthwiseConv2d


def precision_for(config: TrainConfig, device: torch.device) -> torch.dtype | None:
    """Return the autocast type, or None for plain float32."""
    if config.amp == "off":
        return None
    if config.amp != "auto":
        return {"bf16": torch.bfloat16, "fp16": torch.float16}[config.amp]
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return torch.bfloat16 if _cpu_has_bf16() else None


def autocast(dtype: torch.dtype | None, device: torch.device) -> AbstractContextManager[None]:
    """Return the autocast context of one forward pass."""
    if dtype is None:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


def _cpu_has_bf16() -> bool:
    """True when the processor multiplies bf16 itself (AVX-512 BF16 or AMX)."""
    supported = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return bool(supported())
