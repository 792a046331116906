"""How long and how hard is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of one run. The shares of the open loop are of the closed loop's best rate."""

    clients: tuple[int, ...] = (1, 8, 32, 64)
    shares: tuple[float, ...] = (0.5, 0.8, 1.0)
    seconds: float = 8.0
    warm_up_seconds: float = 2.0
    sides: tuple[int, ...] = (512, 1024, 2048, 4096)
    size_clients: int = 8
    requests: int = 5_000
    turns: int = 3


FULL = Plan()
#: For a run that only looks whether the ratios are about right.
SHORT = Plan(
    clients=(1, 8),
    shares=(),
    seconds=3.0,
    warm_up_seconds=1.0,
    sides=(),
    requests=50,
    turns=1,
)
