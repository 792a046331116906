"""Analyse the sample inputs of this folder over HTTP and print one table.

Needs a running gateway (`make up`) and nothing else of MediFlow: this is what a client of your
own would do. `make demo` starts the system and then runs this program.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

FOLDER = Path(__file__).parent
HEADINGS = ("modality", "sample", "reference", "outcome", "answer", "p", "ms", "notes")


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: the modality it is for, its files, and what its data set says it shows."""

    modality: str
    files: tuple[Path, ...]
    reference: str

    @property
    def name(self) -> str:
        """The first file's name, for people."""
        return self.files[0].stem


def main() -> int:
    """Wait for the system, ask it everything, print the table; 1 when an answer is missing."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="base URL of the gateway")
    parser.add_argument("--wait", type=float, default=180.0, help="seconds to wait for the models")
    arguments = parser.parse_args()
    with httpx2.Client(base_url=arguments.url, timeout=30) as http:
        states = wait_until_ready(http, arguments.wait)
        if not states:
            print(f"No gateway answers at {arguments.url}.", file=sys.stderr)
            return 1
        samples = [one for one in read_samples() if states.get(one.modality) == "ready"]
        rows = [ask(http, sample) for sample in samples]
    print_table(rows)
    for modality, state in states.items():
        if state != "ready":
            print(f"{modality}: {state}")
    print(f"\nPage and API: {arguments.url}/ui  {arguments.url}/docs")
    print("For research and education only, never a diagnosis.", flush=True)
    return 0 if all(row[3] != "error" for row in rows) else 1


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
