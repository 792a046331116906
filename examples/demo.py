"""Analyse the sample inputs of this folder over HTTP and print one table.

Needs a running gateway (`make up`) and nothing else of MediFlow: this is what a client of your
own would do. `make demo` starts the system and then runs this program.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import httpx2

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: the modality it is for, its files, and what its data set says it shows."""

    modality: str
    files: tuple[Path, ...]
    reference: str


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    modality: str
    sample: str
    reference: str
    outcome: str
    answer: str
    probability: str
    milliseconds: str
    notes: str


HEADINGS = Row("modality", "sample", "reference", "outcome", "answer", "p", "ms", "notes")


def main() -> int:
    """Wait for the system, ask it everything, print the table; 1 when an answer is missing."""
    arguments = read_arguments()
    headers = {"X-API-Key": arguments.key} if arguments.key else {}
    with httpx2.Client(base_url=arguments.url, headers=headers, timeout=30) as http:
        ready = wait_until_ready(http, arguments.expect, arguments.wait)
        missing = [name for name in arguments.expect if name not in ready]
        rows = [ask(http, sample) for sample in read_samples() if sample.modality in ready]
    print_table([HEADINGS, *rows])
    for name in missing:
        print(f"{name} did not become ready within {arguments.wait:.0f} seconds.")
    print(f"\nThe page:            {arguments.url}/")
    print(f"The API, to try out: {arguments.url}/docs")
    print("For research and education only, never a diagnosis.", flush=True)
    return 1 if missing or any(row.outcome == "error" for row in rows) else 0


def read_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Analyse the sample inputs of this folder.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="base URL of the gateway")
    key = os.environ.get("MEDIFLOW_API_KEY")
    parser.add_argument("--key", default=key, help="API key, by default $MEDIFLOW_API_KEY")
    parser.add_argument("--wait", type=float, default=180.0, help="seconds to wait for the models")
    parser.add_argument("--expect", nargs="*", default=[], help="modalities that must become ready")
    return parser.parse_args()


def read_samples(folder: Path = FOLDER) -> list[Sample]:
    """Return the samples that `samples.csv` lists."""
    with (folder / "samples.csv").open(newline="") as lines:
        return [
            Sample(
                row["modality"],
                tuple(folder / name for name in row["files"].split()),
                row["reference"],
            )
            for row in csv.DictReader(lines)
        ]


def wait_until_ready(http: httpx2.Client, expected: Sequence[str], seconds: float) -> set[str]:
    """Return the modalities that are ready, as soon as all expected ones are or time is up."""
    deadline = time.monotonic() + seconds
    while True:
        ready = ready_modalities(http)
        if (ready and ready.issuperset(expected)) or time.monotonic() > deadline:
            return ready
        time.sleep(0.2)


def ready_modalities(http: httpx2.Client) -> set[str]:
    """Ask the gateway which modalities are ready; none while it starts."""
    try:
        states = http.get("/health").raise_for_status().json()["modalities"]
    except httpx2.HTTPError:
        return set()
    return {name for name, state in states.items() if state["ready"]}


def ask(http: httpx2.Client, sample: Sample) -> Row:
    """Send one sample and describe the answer."""
    started = time.monotonic()
    response = send(http, sample)
    milliseconds = f"{(time.monotonic() - started) * 1000:.0f}"
    answer = response.json()
    name = sample.files[0].stem
    if response.is_error:
        return Row(sample.modality, name, sample.reference, "error", "", "", "", answer["detail"])
    label, probability = best(answer)
    notes = "; ".join(note["message"] for note in answer["reasons"] + answer["warnings"])
    return Row(
        sample.modality,
        name,
        sample.reference,
        answer["outcome"],
        label,
        probability,
        milliseconds,
        notes,
    )


def send(http: httpx2.Client, sample: Sample) -> httpx2.Response:
    """Post a table as JSON, everything else as a form with one or two files."""
    url = f"/v1/{sample.modality}/predictions"
    if sample.files[0].suffix == ".json":
        headers = {"Content-Type": "application/json"}
        return http.post(url, content=sample.files[0].read_bytes(), headers=headers)
    with ExitStack() as stack:
        parts = [("file", stack.enter_context(path.open("rb"))) for path in sample.files]
        return http.post(url, files=parts)


def best(answer: dict[str, Any]) -> tuple[str, str]:
    """Return the answer's label, or its positive findings, with the (highest) probability."""
    probabilities: dict[str, float] = answer["probabilities"]
    positive = [one["label"] for one in answer["findings"] if one["positive"]]
    labels = [answer["label"]] if answer["label"] else positive
    known = [probabilities[label] for label in labels if label in probabilities]
    return ", ".join(labels), f"{max(known):.2f}" if known else ""


def print_table(rows: Sequence[Row]) -> None:
    """Print the rows below each other; the notes have the rest of the line."""
    cells = [astuple(row) for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(7)]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        print(line.rstrip())


if __name__ == "__main__":
    sys.exit(main())
