"""The compiled form of a model file: its graph, and what torch makes of the golden cases.

The model file stays the only released form. This is derived from it at start, is optionally kept
by digest, and is trusted only after its answers were compared (`vision_service/parity.py`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from contracts.checkpoint import Checkpoint, build_from
from vision_service.golden import reference_logits, spec_of
from vision_service.graph import DamagedGraph, Graph, compile_graph

#: Part of the cache key: raise it when the way of compiling changes.
_RECIPE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A graph, and the golden logits float32 `[N, K]` of torch that its answers must equal."""

    graph: Graph
    golden_logits: Tensor

    def to_bytes(self) -> bytes:
        """Return both in one file of NumPy's format."""
        stream = io.BytesIO()
        graph = np.frombuffer(self.graph.payload, dtype=np.uint8)
        np.savez(stream, graph=graph, golden_logits=self.golden_logits.numpy())
        return stream.getvalue()


def compile_model(checkpoint: Checkpoint) -> Compiled:
    """Compile in this process; raises BadCheckpoint when there is no sound network to compile."""
    network = build_from(checkpoint)
    return Compiled(
        compile_graph(network, spec_of(checkpoint)), reference_logits(network, checkpoint)
    )


def from_bytes(payload: bytes) -> Compiled:
    """Read what `to_bytes` gave; raise DamagedGraph for anything else."""
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as file:
            graph, logits = file["graph"].tobytes(), torch.from_numpy(file["golden_logits"])
    except (OSError, ValueError, KeyError, EOFError, TypeError, zipfile.BadZipFile) as error:
        raise DamagedGraph("this is no compiled form") from error
    return Compiled(Graph(graph, hashlib.sha256(graph).hexdigest()), logits)


def kept_or_compiled(
    compile_it: Callable[[], Compiled], model_sha256: str, folder: Path | None
) -> Compiled:
    """Return the compiled form of this model file from the folder, or compile and keep it there.

    What is damaged is compiled again. Raises what `compile_it` raises.
    """
    if folder is None:
        return compile_it()
    path = folder / f"{model_sha256}-torch{torch.__version__}-r{_RECIPE}.npz"
    seal = path.with_suffix(".sha256")
    try:
        payload = path.read_bytes()
        if hashlib.sha256(payload).hexdigest() == seal.read_text().strip():
            return from_bytes(payload)
    except (OSError, DamagedGraph):
        pass
    compiled = compile_it()
    payload = compiled.to_bytes()
    _keep(path, payload)
    _keep(seal, hashlib.sha256(payload).hexdigest().encode())
    return compiled


def _keep(path: Path, payload: bytes) -> None:
    """Write a file so that half of it never looks whole; a read-only folder is no error."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(payload)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
