"""Thread counts of a vision service: the plan of its workers, and what torch is told."""

from __future__ import annotations

import os
from dataclasses import dataclass

_MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class ThreadPlan:
    """Threads of this process: `compute` inside one inference call, the others side by side.

    `decode_workers` decode where inputs meet in batches; elsewhere whoever infers decodes, too.
    """

    compute: int
    infer_workers: int
    decode_workers: int

    @property
    def alone(self) -> int:
        """Threads inside an inference call beside which no other runs: it has their cores, too."""
        return self.compute * self.infer_workers

    def as_dict(self) -> dict[str, int]:
        """Return the plan as `/model` shows it."""
        return {
            "compute": self.compute,
            "infer_workers": self.infer_workers,
            "decode_workers": self.decode_workers,
        }


def plan_threads(compute: int, workers: int | None, *, cuda: bool) -> ThreadPlan:
    """Return the plan for this machine: one inference at a time on CUDA, else one per core."""
    cores = len(os.sched_getaffinity(0))
    side_by_side = workers or max(1, min(_MOST_WORKERS, cores // compute))
    return ThreadPlan(compute, 1 if cuda else side_by_side, max(1, min(_MOST_WORKERS, cores)))


def pin_torch(compute: int) -> None:
    """Set what torch reads at run time."""
    import torch

    torch.set_num_threads(compute)


def pin_interop() -> None:
    """Keep torch to one thread between operators; once, before it computes anything."""
    import torch

    torch.set_num_interop_threads(1)
