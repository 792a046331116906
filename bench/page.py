"""Write docs/benchmarks.md and its picture from the figures that were kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.chart import draw
from bench.goals import goals
from bench.parts import Part, read_parts
from bench.results import FILE, Contestant, Serving
from bench.server import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"
PICTURE = ROOT / "docs" / "benchmarks.png"

_INTRODUCTION = """# Benchmarks

Written by `make bench`, which measures all servers one after the other on the same cores of a
quiet machine. Only the ratios carry over to other machines. The film is a grey JPEG of
1422 × 1152 pixels and 400 KB (`examples/chest-xray/IM-0117-0001.jpeg`), the model file is the
released chest X-ray model, and the bytes of every request differ. MediFlow runs as released:
gateway and service with audit, input checks and metrics; it keeps no result, decode or tensor.
The load generator shares the cores.
"""


def write_page(folder: Path, page: Path = PAGE, picture: Path = PICTURE) -> None:
    """Write both files from the parts in `folder`; the part of the servers must be there."""
    found = Serving.model_validate_json((folder / FILE).read_text())
    draw(found, picture)
    page.write_text("\n".join(_lines(found, read_parts(folder))))


def _lines(found: Serving, parts: Sequence[Part]) -> Iterator[str]:
    yield _INTRODUCTION
    yield from _machine(found)
    yield from ["", "## Goals", ""]
    rows = [
        (goal.name, goal.measured, goal.gate, goal.moonshot, "yes" if goal.met else "**no**")
        for goal in goals(found)
    ]
    yield from _table(("", "measured", "gate", "moonshot", "gate met"), rows)
    yield from ["", "## Servers side by side", "", "![Answers per second](benchmarks.png)", ""]
    yield from _closed(found.contestants)
    yield from ["", "Open loop, requests at random moments at shares of each server's best:", ""]
    yield from _open(found.contestants)
    yield from ["", *(f"* {one.name}: {one.settings}." for one in found.contestants)]
    if found.absent:
        yield f"* Not measured, as it could not be installed or started: {', '.join(found.absent)}."
    yield from ["", "## MediFlow from inside", ""]
    yield from _inside(found)
    if found.sizes:
        yield from ["", "## Size of the picture", "", "Eight clients, a closed loop:", ""]
        yield from _sizes(found)
    for part in parts:
        yield from ["", f"## {part.title}", "", part.text, ""]
        yield from _table(part.columns, part.rows)
        yield from ["", f"`{part.command}`, {part.date}."]
    yield ""


def _machine(found: Serving) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in found.machine.versions.items())
    yield f"{found.date}, commit {found.commit}: {found.machine.processor}, "
    yield f"{found.machine.cores} cores, {found.machine.system}; {versions}."


def _closed(contestants: Sequence[Contestant]) -> Iterator[str]:
    loads = [int(point.load) for point in contestants[0].closed]
    most = contestants[0]
    rows = []
    for one in contestants:
        cells = [f"{p.rate:.1f} ({p.p50_ms:.0f} / {p.p99_ms:.0f} ms)" for p in one.closed]
        failures = sum(p.failures for p in (*one.closed, *one.open))
        ratio = most.most / one.most
        rows.append((one.name, *cells, f"{ratio:.2f} ×", str(failures)))
    heads = [f"{load} client{'s' if load > 1 else ''}" for load in loads]
    yield "Answers per second (p50 / p99) by clients in a closed loop:"
    yield ""
    yield from _table(("server", *heads, "MediFlow is faster", "failures"), rows)


def _open(contestants: Sequence[Contestant]) -> Iterator[str]:
    rows = [
        (one.name, f"{p.load:.1f}", f"{p.rate:.1f}", f"{p.p50_ms:.0f}", f"{p.p99_ms:.0f}")
        for one in contestants
        for p in one.open
    ]
    yield from _table(("server", "sent per second", "answered", "p50 ms", "p99 ms"), rows)


def _inside(found: Serving) -> Iterator[str]:
    memory, added = found.memory, found.added
    rows = [
        ("floor: the same work without a server, two processes", f"{found.floor_rate:.1f} films/s"),
        ("one client, p50 at the gateway", f"{added.gateway_ms:.2f} ms"),
        ("one client, p50 at the service", f"{added.service_ms:.2f} ms"),
        *((f"stage `{name}`, mean", f"{spent:.2f} ms") for name, spent in found.stages_ms.items()),
        ("`/livez` of the gateway at 32 clients, p99", f"{found.livez_gateway_p99_ms:.1f} ms"),
        ("`/livez` of the service at 32 clients, p99", f"{found.livez_service_p99_ms:.1f} ms"),
        ("vision service at rest, resident", f"{memory.service_rest:.0f} MiB"),
        ("the same, shared pages in parts", f"{memory.service_rest_shared_out:.0f} MiB"),
        (f"vision service after {memory.requests:,} requests", f"{memory.service_after:.0f} MiB"),
        ("gateway at rest", f"{memory.gateway_rest:.0f} MiB"),
        (f"gateway after {memory.requests:,} requests", f"{memory.gateway_after:.0f} MiB"),
        ("start of a vision service, nothing cached", f"{found.cold_start_seconds:.1f} s"),
        ("start with the compiled form cached", f"{found.warm_start_seconds:.1f} s"),
    ]
    yield from _table(("", ""), rows)


def _sizes(found: Serving) -> Iterator[str]:
    rows = [
        (
            f"{size.side} px, {size.size_bytes / 1024:.0f} KB",
            f"{size.ours.rate:.1f} ({size.ours.p99_ms:.0f} ms)",
            f"{size.plain.rate:.1f} ({size.plain.p99_ms:.0f} ms)",
            f"{size.ours.rate / size.plain.rate:.2f} ×",
        )
        for size in found.sizes
    ]
    heads = ("longer side", "MediFlow per second (p99)", "plain design (p99)", "ratio")
    yield from _table(heads, rows)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    heads = tuple(heads)
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"
