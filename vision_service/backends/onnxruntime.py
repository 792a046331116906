"""ONNX Runtime on a CPU, on a graph that was made from the model file in memory."""

from __future__ import annotations

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from contracts.network import Output
from vision_service.graph import INPUT, Graph

#: Room for activations grows by what is missing. By default it doubles, and the first time that
#: two calls reach their peak together, maybe an hour after the start, 16 MB are taken for good.
_GROWTH = {"arena_extend_strategy": "kSameAsRequested"}


class OnnxBackend:
    """Runs a compiled graph. ONNX Runtime's run call is safe from several threads."""

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, graph: Graph, threads: int) -> None:
        """Raises DamagedGraph when the graph is not the one that was compiled."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            graph.verified(), options, providers=[("CPUExecutionProvider", _GROWTH)]
        )

    def infer(self, batch: Tensor) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`."""
        values: list[np.ndarray] = self._session.run(None, {INPUT: batch.numpy()})
        logits, middle, penultimate = (torch.from_numpy(value) for value in values)
        return Output(logits, middle, penultimate)
