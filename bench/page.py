"""Write docs/benchmarks.md and its picture from the figures that were kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bench.chart import draw
from bench.goals import goals
from bench.inside import inside_rows
from bench.names import OURS
from bench.parts import Part, read_parts
from bench.results import Contestant, Serving

PAGE = "benchmarks.md"
PICTURE = "benchmarks.png"

_INTRODUCTION = """# Benchmarks

Written by `make bench`, which measures all servers one after the other on the same cores of a
quiet machine. Only the ratios carry over to other machines. The film is a grey JPEG of
1422 × 1152 pixels and 400 KB (`examples/chest-xray/IM-0117-0001.jpeg`), the model file is the
released chest X-ray model, and the bytes of every request differ. MediFlow runs as released:
gateway and service with audit, input checks and metrics; it keeps no result, decode or tensor.
The load generator shares the cores.
"""


def write_page(results: Path, parts: Path, folder: Path) -> None:
    """Write page and picture from the figures of the servers and the parts in `parts`."""
    found = Serving.model_validate_json(results.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    draw(found, folder / PICTURE)
    (folder / PAGE).write_text("\n".join(_lines(found, read_parts(parts))))


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
    yield from ["", "## MediFlow from inside", ""]
    yield from _table(("", ""), inside_rows(found))
    if found.sizes:
        yield from ["", "## Size of the picture", "", "Eight clients, a closed loop:", ""]
        yield from _sizes(found)
    for part in parts:
        yield from ["", f"## {part.title}", "", part.text, ""]
        yield from _table(part.columns, part.rows)
        yield from ["", f"`{part.command}`, {part.date}."]
    if found.failed:
        yield from ["", "## Not measured", ""]
        yield from _table(("part", "failed, because"), found.failed.items())
    yield ""


def _machine(found: Serving) -> Iterator[str]:
    versions = ", ".join(f"{name} {number}" for name, number in found.machine.versions.items())
    yield f"{found.date}, commit {found.commit}: {found.machine.processor}, "
    yield f"{found.machine.cores} cores, {found.machine.system}; {versions}. "
    yield f"Each load lasted {found.seconds:g} s."


def _closed(contestants: Sequence[Contestant]) -> Iterator[str]:
    loads = [int(point.load) for point in contestants[0].closed] if contestants else []
    ours = next((one for one in contestants if one.name == OURS), None)
    rows = []
    for one in contestants:
        cells = [f"{p.rate:.1f} ({p.p50_ms:.0f} / {p.p99_ms:.0f} ms)" for p in one.closed]
        failures = sum(p.failures for p in (*one.closed, *one.open))
        ratio = "" if ours is None else f"{ours.most / one.most:.2f} ×"
        rows.append((one.name, *cells, ratio, str(failures)))
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


def _sizes(found: Serving) -> Iterator[str]:
    rows = [
        (
            f"{size.side} px, {size.size_bytes / 1024:.0f} KB",
            f"{size.ours.rate:.1f} ({size.ours.p99_ms:.0f} ms)",
            f"{size.plain.rate:.1f} ({size.plain.p99_ms:.0f} ms)",
            f"{size.ours.rate / size.plain.rate:.2f} ×" if size.plain.rate else "",
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
