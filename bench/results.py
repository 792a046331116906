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
        """Return the closed loop of so many clients; every plan for the page has it."""
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

    `shared_out` is the service at rest with pages that it shares with others counted in parts,
    `service_half` the service after half of the requests.
    """

    requests: int
    service_rest: float
    service_half: float
    service_after: float
    service_rest_shared_out: float
    gateway_rest: float
    gateway_after: float


class Livez(_Figures):
    """The 99th percentile of `/livez` under full load, in milliseconds."""

    gateway_p99_ms: float
    service_p99_ms: float


class Starts(_Figures):
    """Seconds from the start of a vision service to ready, with nothing kept and then again."""

    cold_seconds: float
    warm_seconds: float


class Machine(_Figures):
    """What it ran on, without naming it."""

    processor: str
    cores: int
    system: str
    versions: dict[str, str]


class Serving(_Figures):
    """What one run of `make bench` measures; `failed` says of the rest why it is not there."""

    date: str
    commit: str
    machine: Machine
    seconds: float
    contestants: tuple[Contestant, ...] = ()
    floor_rate: float | None = None
    stages_ms: dict[str, float] = {}
    added: Added | None = None
    livez: Livez | None = None
    sizes: tuple[Size, ...] = ()
    memory: MemoryUse | None = None
    starts: Starts | None = None
    failed: dict[str, str] = {}

    def contestant(self, name: str) -> Contestant | None:
        """Return a server by name, if it was measured."""
        return next((one for one in self.contestants if one.name == name), None)


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
