"""How long and how hard is measured."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Plan:
    """The loads of one run. The shares of the open loop are of the closed loop's best rate.

    `images`, `inputs` (of each model) and `films` are how many the other commands take.
    """

    clients: tuple[int, ...] = (1, 8, 32, 64)
    shares: tuple[float, ...] = (0.5, 0.8, 1.0)
    seconds: float = 8.0
    warm_up_seconds: float = 2.0
    sides: tuple[int, ...] = (512, 1024, 2048, 4096)
    size_clients: int = 8
    requests: int = 5_000
    turns: int = 3
    others: bool = True
    images: int = 512
    inputs: int = 600
    films: int = 200

    def lasting(self, seconds: float) -> Plan:
        """Return the plan with loads of so many seconds, and everything else in proportion."""
        share = seconds / self.seconds
        return replace(
            self,
            seconds=seconds,
            warm_up_seconds=self.warm_up_seconds * share,
            requests=max(50, round(self.requests * share)),
            images=max(64, round(self.images * share)),
            inputs=max(8, round(self.inputs * share)),
            films=max(8, round(self.films * share)),
        )


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
    others=False,
)
