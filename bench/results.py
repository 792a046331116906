"""The figures of one run, as plain frozen data that can be written to a file and read again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

FILE = "serving.json"


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class Point(_Figures):
    """One load and what came of it: answers per second, milliseconds, and what failed.

    `load` is a number of clients (closed loop) or requests per second (open loop).
    """

    load: float
    rate: float
    p50_ms: float
    p99_ms: float
    failures: int


class Contestant(_Figures):
    """One server under all loads."""

    name: str
    settings: str
    closed: tuple[Point, ...]
    open: tuple[Point, ...]

    def at(self, clients: int) -> Point:
        """Return the closed loop of so many clients."""
        return next(point for point in self.closed if point.load == clients)

    @property
    def most(self) -> float:
        """Most answers per second in a closed loop."""
        return max(point.rate for point in self.closed)


class Size(_Figures):
    """The film at another size: pixels of the longer side, bytes, and what came of it."""

    side: int
    size_bytes: int
    ours: Point
    plain: Point


class Added(_Figures):
    """Milliseconds of one client at the gateway and at the service, in turns."""

    gateway_ms: float
    service_ms: float

    @property
    def added_ms(self) -> float:
        """What the gateway adds to a call of the service."""
        return self.gateway_ms - self.service_ms


class MemoryUse(_Figures):
    """MiB of one vision service and of the gateway, at rest and after `requests`.

    `shared_out` is the service at rest with pages that it shares with others counted in parts.
    """

    requests: int
    service_rest: float
    service_after: float
    service_rest_shared_out: float
    gateway_rest: float
    gateway_after: float


class Machine(_Figures):
    """What it ran on, without naming it."""

    processor: str
    cores: int
    system: str
    versions: dict[str, str]


class Serving(_Figures):
    """Everything that one run of `make bench` measures."""

    date: str
    commit: str
    machine: Machine
    contestants: tuple[Contestant, ...]
    absent: tuple[str, ...]
    floor_rate: float
    stages_ms: dict[str, float]
    added: Added
    livez_gateway_p99_ms: float
    livez_service_p99_ms: float
    sizes: tuple[Size, ...]
    memory: MemoryUse
    cold_start_seconds: float
    warm_start_seconds: float

    @property
    def ours(self) -> Contestant:
        """MediFlow is measured first."""
        return self.contestants[0]

    @property
    def plain(self) -> Contestant:
        """The plain design is measured second."""
        return self.contestants[1]


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal and what was measured for it."""

    name: str
    measured: str
    gate: str
    moonshot: str
    met: bool


def keep(figures: BaseModel, path: Path) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(figures.model_dump_json(indent=1))
