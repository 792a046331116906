"""One batch size on CUDA, captured once as a graph and replayed for every batch.

A small network on a fast device waits for the host to start its kernels; a graph starts them all
at once. Input and output stay where they were captured, so a batch is copied in and its result
must be copied out before the next one.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from contracts.network import Output

_WARM_UP_RUNS = 3


class CapturedForward:
    """Replays `forward` for one size; not safe for several threads, whoever owns it must lock."""

    def __init__(
        self, forward: Callable[[Tensor], Output], shape: tuple[int, ...], device: torch.device
    ) -> None:
        """Runs `forward` a few times on zeros of this shape, `[B, 3, H, W]`, and captures it."""
        layout = torch.channels_last
        # Pinned, so that the copy to the device needs no second copy on the host.
        self._staged = torch.zeros(shape).contiguous(memory_format=layout).pin_memory()
        self._input = torch.zeros(shape, device=device).contiguous(memory_format=layout)
        self._graph = torch.cuda.CUDAGraph()
        # Capture must not see first-time work: libraries choose and allocate in these runs.
        side = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UP_RUNS):
                forward(self._input)
        torch.cuda.current_stream(device).wait_stream(side)
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._output = forward(self._input)

    def __call__(self, batch: Tensor) -> Output:
        """Return the output of a float32 CPU batch of at most this size, one row per place.

        Places behind the batch hold its last case again. The result is valid until the next call.
        """
        cases = len(batch)
        self._staged[:cases].copy_(batch)
        self._staged[cases:].copy_(batch[-1:].expand_as(self._staged[cases:]))
        self._input.copy_(self._staged, non_blocking=True)
        self._graph.replay()
        return self._output
