"""torchrun / DDP: set-up by environment, and nothing at all when started alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn


@dataclass(frozen=True, slots=True)
class Team:
    """This process among its peers; `rank` 0 writes files and prints."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0

    @property
    def leads(self) -> bool:
        """True for the one process that writes."""
        return self.rank == 0


@contextmanager
def join_team(device_type: str) -> Iterator[Team]:
    """Join the process group that torchrun announced; leave it at the end."""
    if "RANK" not in os.environ or "WORLD_SIZE" not in os.environ:
        yield Team()
        return
    team = Team(
        int(os.environ["RANK"]),
        int(os.environ["WORLD_SIZE"]),
        int(os.environ.get("LOCAL_RANK", "0")),
    )
    distributed.init_process_group("nccl" if device_type == "cuda" else "gloo")
    try:
        yield team
    finally:
        distributed.destroy_process_group()


def wrap(network: nn.Module, team: Team, device: torch.device) -> nn.Module:
    """Return the network that averages gradients over the team, or the network itself."""
    if team.world == 1:
        return network
    ids = [device.index] if device.type == "cuda" else None
    return nn.parallel.DistributedDataParallel(network, device_ids=ids)


def choose_device(name: str, team_local_rank: int = 0) -> torch.device:
    """Return the device for `cuda`, `cpu` or `auto`; raise ValueError when cuda is not there."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ValueError("no CUDA device is available; use --device cpu or auto")
    if name == "cpu" or not available:
        return torch.device("cpu")
    return torch.device("cuda", team_local_rank)
