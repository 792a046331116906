"""The network of a model file in torch, built when somebody needs it.

While a compiled form answers, only an influence map does: at rest a service does without it.
"""

from __future__ import annotations

import hashlib
import threading

from torch import nn

from contracts.checkpoint import Checkpoint, build_from


class LazyNetwork:
    """Builds once and keeps; remembers what the weights were when they were built."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        """Builds nothing yet."""
        self.checkpoint = checkpoint
        self._lock = threading.Lock()
        self._built: nn.Module | None = None
        self._sha256 = ""

    def get(self) -> nn.Module:
        """Return the float32 network in eval mode; raise BadCheckpoint when it cannot be built."""
        with self._lock:
            if self._built is None:
                network = build_from(self.checkpoint).requires_grad_(False)
                self._sha256 = weights_sha256(network)
                self._built = network
            return self._built

    @property
    def is_unchanged(self) -> bool:
        """False when a live tensor is no longer what it was when the network was built."""
        with self._lock:
            return self._built is None or weights_sha256(self._built) == self._sha256


def weights_sha256(network: nn.Module) -> str:
    """Return a digest of every live tensor of the network."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
