"""The goals of the serving run, each with what was measured for it in the same run."""

from __future__ import annotations

from bench.results import Goal, Serving

CLIENTS = 32


def goals(found: Serving) -> tuple[Goal, ...]:
    """Return every goal that the run can decide."""
    return (
        _rate(found),
        _floor(found),
        _p50(found),
        _at_most("what the gateway adds, p50, 400 KB", found.added.added_ms, "ms", 4, 2),
        _at_most(
            "`/livez` under full load, p99, the slower of gateway and service",
            max(found.livez_gateway_p99_ms, found.livez_service_p99_ms),
            "ms",
            100,
            25,
        ),
        _at_most(
            "one vision service at rest, resident", found.memory.service_rest, "MiB", 700, 450
        ),
        _growth(found),
        _at_most(
            "start of one vision service to ready, nothing cached",
            found.cold_start_seconds,
            "s",
            15,
            6,
        ),
    )


def _rate(found: Serving) -> Goal:
    peers = found.contestants[1:]
    best = max(peers, key=lambda peer: peer.at(CLIENTS).rate)
    ratio = found.ours.at(CLIENTS).rate / best.at(CLIENTS).rate
    name = f"answers a second at {CLIENTS} clients, over the best other ({best.name})"
    return Goal(name, f"{ratio:.2f} ×", "≥ 2.2 ×", "≥ 3 ×", ratio >= 2.2)


def _floor(found: Serving) -> Goal:
    share = found.ours.at(CLIENTS).rate / found.floor_rate
    return Goal(
        "share of the floor without a server", f"{share:.2f}", "≥ 0.70", "≥ 0.85", share >= 0.7
    )


def _p50(found: Serving) -> Goal:
    ratio = found.ours.at(1).p50_ms / found.plain.at(1).p50_ms
    name = "p50 of one client, over the plain design"
    return Goal(name, f"{ratio:.2f} ×", "≤ 0.6 ×", "≤ 0.4 ×", ratio <= 0.6)


def _growth(found: Serving) -> Goal:
    memory = found.memory
    growth = memory.service_after / memory.service_rest - 1
    name = f"its growth after {memory.requests:,} requests"
    return Goal(name, f"{growth:+.1%}", "≤ +5 %", "≤ +2 %", growth <= 0.05)


def _at_most(name: str, value: float, unit: str, gate: float, moonshot: float) -> Goal:
    digits = 0 if value >= 100 else 1
    measured = f"{value:.{digits}f} {unit}"
    return Goal(name, measured, f"≤ {gate} {unit}", f"≤ {moonshot} {unit}", value <= gate)
