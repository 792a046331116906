"""The picture of the page: answers per second, and the 99th percentile, by clients."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from bench.results import Serving

_COLOURS = ("#0b7285", "#868e96", "#e8590c", "#5f3dc4")


def draw(found: Serving, path: Path) -> None:
    """Write the picture as PNG."""
    figure = Figure(figsize=(10, 4), dpi=120)
    left, right = figure.subplots(1, 2)
    clients: list[float] = []
    for one, colour in zip(found.contestants, _COLOURS, strict=False):
        clients = [point.load for point in one.closed]
        style = {"color": colour, "marker": "o", "label": one.name.replace("`", "")}
        left.plot(clients, [point.rate for point in one.closed], **style)
        right.plot(clients, [point.p99_ms for point in one.closed], **style)
    if found.floor_rate is not None:
        left.axhline(found.floor_rate, color="#495057", linestyle=":", label="floor, no server")
    left.set(title="Answers per second", ylim=(0, None))
    right.set(title="99th percentile, ms", yscale="log")
    for axes in (left, right):
        axes.set(xlabel="clients, closed loop", xscale="log")
        axes.set_xticks(clients, [f"{count:g}" for count in clients])
        axes.minorticks_off()
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    if found.contestants:
        left.legend(fontsize=8, frameon=False)
    figure.tight_layout()
    figure.savefig(path)
