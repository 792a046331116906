"""Memory, file descriptors and threads of each process over time, and the slope of memory."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from statistics import linear_regression

import psutil

from tests.soak.system import System, Use

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Growth:
    """How one process grew between its warm-up and its end."""

    seconds: float
    rss_mib: float
    slope_mib_per_hour: float
    fitted_growth_mib: float
    descriptors: int
    threads: int


@dataclass
class Watch:
    """Samples of all processes; those of a process that was started anew are kept apart."""

    system: System
    samples: dict[tuple[str, int], list[tuple[float, Use]]] = field(default_factory=dict)

    async def run(self, every_seconds: float) -> None:
        """Sample until cancelled."""
        while True:
            for name, process in list(self.system.processes.items()):
                try:
                    use = self.system.use(name)
                except psutil.NoSuchProcess:
                    continue
                self.samples.setdefault((name, process.pid), []).append((time.monotonic(), use))
            await asyncio.sleep(every_seconds)

    def growth(self) -> dict[str, Growth]:
        """By name, what its longest-lived process did after the first third of its life."""
        longest: dict[str, list[tuple[float, Use]]] = {}
        for (name, _), samples in self.samples.items():
            if len(samples) > len(longest.get(name, ())):
                longest[name] = samples
        return {name: _growth(samples[len(samples) // 3 :]) for name, samples in longest.items()}


def _growth(samples: list[tuple[float, Use]]) -> Growth:
    """Fit a line through the memory; of the rest compare the least of both ends' thirds.

    Descriptors come and go with the requests of a moment: what leaks is there in between, too.
    """
    (first_at, _), (last_at, last) = samples[0], samples[-1]
    slope = linear_regression(
        [at for at, _ in samples], [use.rss_bytes / MIB for _, use in samples]
    ).slope
    return Growth(
        seconds=last_at - first_at,
        rss_mib=last.rss_bytes / MIB,
        slope_mib_per_hour=slope * 3600,
        fitted_growth_mib=slope * (last_at - first_at),
        descriptors=_risen([use.descriptors for _, use in samples]),
        threads=_risen([use.threads for _, use in samples]),
    )


def _risen(counts: list[int]) -> int:
    """The least of the last third above the least of the first."""
    third = max(1, len(counts) // 3)
    return min(counts[-third:]) - min(counts[:third])
