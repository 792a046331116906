"""Measure how long a report takes: `python -m deploy.report_times [URL] [--repeats 20]`.

Needs a running system. Asks for a report of the first sample of each ready modality, one after the
other, as HTML and as PDF, and prints p50, p95 and where the time goes (medians, milliseconds).
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import httpx2

from examples.demo import Sample, read_samples

FORMS = ("html", "pdf")
STAGES = ("service", "picture", "print")


@dataclass(frozen=True, slots=True)
class Timing:
    """One report: the whole time as a client sees it, and that of the gateway's stages."""

    total_ms: float
    stages_ms: dict[str, float]
    size: int


def main() -> None:
    """Print one line of a Markdown table for each modality and form."""
    parser = argparse.ArgumentParser(description="Measure how long a report takes.")
    parser.add_argument("url", nargs="?", default="http://127.0.0.1:8000")
    parser.add_argument("--repeats", type=int, default=20)
    arguments = parser.parse_args()
    print("| modality | form | p50 ms | p95 ms | service | picture | print | kB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with httpx2.Client(base_url=arguments.url, timeout=60) as http:
        for sample, form in product(ready_samples(http), FORMS):
            ask(http, sample, form)  # the first one warms up
            timings = [ask(http, sample, form) for _ in range(arguments.repeats)]
            print(line(sample.modality, form, timings), flush=True)


def ready_samples(http: httpx2.Client) -> Iterator[Sample]:
    """Yield the first sample of each modality that is ready."""
    listed = http.get("/v1/modalities").raise_for_status().json()["modalities"]
    waiting = {entry["id"] for entry in listed if entry["ready"]}
    for sample in read_samples():
        if sample.modality in waiting:
            waiting.discard(sample.modality)
            yield sample


def ask(http: httpx2.Client, sample: Sample, form: str) -> Timing:
    """Ask for one report; raise HTTPStatusError when there is none."""
    url, (first, *_) = f"/v1/{sample.modality}/reports?format={form}", sample.files
    started = time.perf_counter()
    if first.suffix == ".json":
        headers = {"Content-Type": "application/json"}
        response = http.post(url, content=first.read_bytes(), headers=headers)
    else:
        files = [("file", (path.name, path.read_bytes())) for path in sample.files]
        response = http.post(url, files=files)
    total_ms = (time.perf_counter() - started) * 1000
    response.raise_for_status()
    stages = re.findall(r"(\w+);dur=([\d.]+)", response.headers["server-timing"])
    return Timing(total_ms, {name: float(spent) for name, spent in stages}, len(response.content))


def line(modality: str, form: str, timings: list[Timing]) -> str:
    """Return one line of the table."""
    totals = [one.total_ms for one in timings]
    p95 = statistics.quantiles(totals, n=20, method="inclusive")[-1]
    cells = [modality, form, f"{statistics.median(totals):.0f}", f"{p95:.0f}"]
    for stage in STAGES:
        cells.append(f"{statistics.median(one.stages_ms[stage] for one in timings):.0f}")
    cells.append(f"{timings[0].size / 1000:.0f}")
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
