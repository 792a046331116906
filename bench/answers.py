"""What a load got for an answer, and the figures that are made of it."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: its status (0 when none came), the seconds it took, and its head as sent."""

    status: int
    seconds: float
    head: bytes

    def header(self, name: str) -> str | None:
        """Return the first value of a header, or None."""
        start = f"{name.lower()}:"
        for line in self.head.decode("latin-1").split("\r\n")[1:]:
            if line.lower().startswith(start):
                return line[len(start) :].strip()
        return None


@dataclass(frozen=True, slots=True)
class Load:
    """All answers of one run of `seconds`."""

    answers: tuple[Answer, ...]
    seconds: float

    @property
    def statuses(self) -> Counter[int]:
        """How many answers had which status."""
        return Counter(answer.status for answer in self.answers)

    @property
    def good(self) -> tuple[Answer, ...]:
        """The answers with status 200."""
        return tuple(answer for answer in self.answers if answer.status == 200)

    @property
    def failures(self) -> int:
        """How many answers had another status than 200."""
        return len(self.answers) - len(self.good)

    @property
    def rate(self) -> float:
        """Answers with status 200 per second."""
        return len(self.good) / self.seconds

    def percentile_ms(self, share: float, status: int = 200) -> float:
        """Return a percentile of the milliseconds of all answers with one status; NaN for none."""
        times = sorted(answer.seconds for answer in self.answers if answer.status == status)
        if not times:
            return math.nan
        return times[min(len(times) - 1, math.ceil(share * len(times)) - 1)] * 1000

    def stage_means_ms(self) -> dict[str, float]:
        """Return the mean of each stage that the answers tell in `Server-Timing`."""
        stages: dict[str, list[float]] = {}
        for answer in self.good:
            for part in (answer.header("server-timing") or "").split(","):
                name, _, value = part.strip().partition(";dur=")
                if value:
                    stages.setdefault(name, []).append(float(value))
        return {name: fmean(values) for name, values in stages.items()}
