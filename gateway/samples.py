"""Public sample inputs that the page offers to try, as `examples/samples.csv` lists them."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Sample:
    """One input: its modality, its files below the folder, and where it comes from."""

    modality: str
    files: tuple[str, ...]
    reference: str
    """Label that its data set gives; empty when nobody gave one."""
    origin: str


@cache
def read_samples(folder: Path) -> tuple[Sample, ...]:
    """Return the samples of a folder with a `samples.csv`; none where there is no such folder."""
    listing = folder / "samples.csv"
    if not listing.is_file():
        return ()
    with listing.open(newline="", encoding="utf-8") as lines:
        return tuple(
            Sample(row["modality"], tuple(row["files"].split()), row["reference"], _source(row))
            for row in csv.DictReader(lines)
        )


def file_of(folder: Path, name: str) -> Path | None:
    """Return the file of that name if a sample lists it, and nothing else of the folder."""
    listed = {one for sample in read_samples(folder) for one in sample.files}
    return folder / name if name in listed else None


def _source(row: dict[str, str]) -> str:
    """Return who published it and under what licence, without the name of the file there."""
    return ", ".join(text for text in (row["origin"].split(",")[0], row["licence"]) if text)
