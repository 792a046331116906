"""The rows of the page that show MediFlow itself: memory, stages, probes, starts."""

from __future__ import annotations

from collections.abc import Iterator

from bench.results import MemoryUse, Serving

Row = tuple[str, str]


def inside_rows(found: Serving) -> Iterator[Row]:
    """Yield what was measured, in words and with its unit."""
    if found.floor_rate is not None:
        what = "floor: the same work without a server, two processes"
        yield what, f"{found.floor_rate:.1f} films/s"
    if found.added is not None:
        yield "one client, p50 at the gateway", f"{found.added.gateway_ms:.2f} ms"
        yield "one client, p50 at the service", f"{found.added.service_ms:.2f} ms"
    for name, spent in found.stages_ms.items():
        yield f"stage `{name}`, mean", f"{spent:.2f} ms"
    if found.livez is not None:
        what = "`/livez` of the {} at 32 clients, p99"
        yield what.format("gateway"), f"{found.livez.gateway_p99_ms:.1f} ms"
        yield what.format("service"), f"{found.livez.service_p99_ms:.1f} ms"
    if found.memory is not None:
        yield from _memory(found.memory)
    if found.starts is not None:
        yield "start of a vision service, nothing cached", f"{found.starts.cold_seconds:.1f} s"
        yield "start with the compiled form cached", f"{found.starts.warm_seconds:.1f} s"


def _memory(memory: MemoryUse) -> Iterator[Row]:
    half, all_of_them = f"{memory.requests // 2:,}", f"{memory.requests:,}"
    yield "vision service at rest, resident", f"{memory.service_rest:.0f} MiB"
    yield "the same, shared pages in parts", f"{memory.service_rest_shared_out:.0f} MiB"
    yield f"vision service after {half} requests", f"{memory.service_half:.0f} MiB"
    yield f"vision service after {all_of_them} requests", f"{memory.service_after:.0f} MiB"
    yield "gateway at rest", f"{memory.gateway_rest:.0f} MiB"
    yield f"gateway after {all_of_them} requests", f"{memory.gateway_after:.0f} MiB"
