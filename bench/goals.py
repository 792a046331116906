"""The goals of the serving run, each with what was measured for it in the same run."""

from __future__ import annotations

from bench.names import OURS, PLAIN
from bench.results import Goal, MemoryUse, Serving

CLIENTS = 32
NOT_MEASURED = "not measured"


def goals(found: Serving) -> tuple[Goal, ...]:
    """Return every goal; one whose figures are missing is not met."""
    livez, memory, starts = found.livez, found.memory, found.starts
    added = None if found.added is None else found.added.added_ms
    slower = None if livez is None else max(livez.gateway_p99_ms, livez.service_p99_ms)
    rest = None if memory is None else memory.service_rest
    cold = None if starts is None else starts.cold_seconds
    return (
        _rate(found),
        _floor(found),
        _p50(found),
        _at_most("what the gateway adds, p50, 400 KB", added, "ms", 4, 2),
        _at_most(
            "`/livez` under full load, p99, the slower of gateway and service",
            slower,
            "ms",
            100,
            25,
        ),
        _at_most("one vision service at rest, resident", rest, "MiB", 700, 450),
        _growth(memory),
        _at_most("start of one vision service to ready, nothing cached", cold, "s", 15, 6),
    )


def _rate(found: Serving) -> Goal:
    ours = found.contestant(OURS)
    peers = [one for one in found.contestants if one is not ours]
    best = max(peers, key=lambda peer: peer.at(CLIENTS).rate, default=None)
    ratio = None
    name = f"answers a second at {CLIENTS} clients, over the best other"
    if ours is not None and best is not None:
        ratio = _ratio(ours.at(CLIENTS).rate, best.at(CLIENTS).rate)
        name = f"{name} ({best.name})"
    met = ratio is not None and ratio >= 2.2
    return Goal(name, _shown(ratio, " ×"), "≥ 2.2 ×", "≥ 3 ×", met)


def _floor(found: Serving) -> Goal:
    ours = found.contestant(OURS)
    share = None
    if ours is not None and found.floor_rate is not None:
        share = _ratio(ours.at(CLIENTS).rate, found.floor_rate)
    met = share is not None and share >= 0.7
    return Goal("share of the floor without a server", _shown(share), "≥ 0.70", "≥ 0.85", met)


def _p50(found: Serving) -> Goal:
    ours, plain = found.contestant(OURS), found.contestant(PLAIN)
    ratio = None
    if ours is not None and plain is not None:
        ratio = _ratio(ours.at(1).p50_ms, plain.at(1).p50_ms)
    met = ratio is not None and ratio <= 0.6
    name = "p50 of one client, over the plain design"
    return Goal(name, _shown(ratio, " ×"), "≤ 0.6 ×", "≤ 0.4 ×", met)


def _growth(memory: MemoryUse | None) -> Goal:
    if memory is None:
        return Goal("its growth", NOT_MEASURED, "≤ +5 %", "≤ +2 %", False)
    growth = memory.service_after / memory.service_rest - 1
    name = f"its growth after {memory.requests:,} requests"
    return Goal(name, f"{growth:+.1%}", "≤ +5 %", "≤ +2 %", growth <= 0.05)


def _at_most(name: str, value: float | None, unit: str, gate: float, moonshot: float) -> Goal:
    measured = NOT_MEASURED
    if value is not None:
        measured = f"{value:.{0 if value >= 100 else 1}f} {unit}"
    met = value is not None and value <= gate
    return Goal(name, measured, f"≤ {gate} {unit}", f"≤ {moonshot} {unit}", met)


def _ratio(one: float, other: float) -> float | None:
    """Return one over the other; None when nobody was answered."""
    return one / other if other else None


def _shown(value: float | None, unit: str = "") -> str:
    return NOT_MEASURED if value is None else f"{value:.2f}{unit}"
