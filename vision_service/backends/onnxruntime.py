"""ONNX Runtime on a CPU, on a graph that was made from the model file in memory."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import torch
from torch import Tensor

from contracts.network import Output
from serving.threads import give_way
from vision_service.graph import INPUT, Graph

#: Room for activations grows by what is missing. By default it doubles, and the first time that
#: two calls reach their peak together, maybe an hour after the start, 16 MB are taken for good.
_GROWTH = {"arena_extend_strategy": "kSameAsRequested"}


class OnnxBackend:
    """Runs a compiled graph. ONNX Runtime's run call is safe from several threads."""

    name = "onnxruntime"
    device = "cpu"

    def __init__(self, graph: Graph, threads: int, threads_alone: int | None = None) -> None:
        """`threads` compute one call, `threads_alone` one beside which there is no other.

        Raises DamagedGraph when the graph is not the one that was compiled.
        """
        self._session = _open(graph, threads)
        most = threads_alone or threads
        self.spreads_alone = most > threads
        self._session_alone = _open(graph, most) if self.spreads_alone else self._session

    def infer(self, batch: Tensor, *, alone: bool = False) -> Output:
        """Return float32 CPU tensors of a normalised float32 CPU batch `[B, 3, H, W]`.

        The same values whether `alone` or not: threads share rows and channels, never a sum.
        """
        session = self._session_alone if alone else self._session
        values: list[np.ndarray] = session.run(None, {INPUT: batch.numpy()})
        logits, middle, penultimate = (torch.from_numpy(value) for value in values)
        return Output(logits, middle, penultimate)


def _open(graph: Graph, threads: int) -> onnxruntime.InferenceSession:
    """Return a session whose threads give way, and rest between calls."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Waking a thread takes as long as a small operator: they spin, but only while a call runs.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    # A thread takes over the niceness of the one that starts it.
    with ThreadPoolExecutor(1, initializer=give_way) as starter:
        return starter.submit(
            onnxruntime.InferenceSession,
            graph.verified(),
            options,
            providers=[("CPUExecutionProvider", _GROWTH)],
        ).result()
