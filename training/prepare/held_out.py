"""The public samples that stay out of every training part: examples and test originals.

`held_out.csv` beside this file lists them as `modality,id`: the patient of a chest film, the
lesion of a dermoscopy, the name of an ultrasound image, the record of an ECG.
"""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from training.manifest import BadManifest

HELD_OUT_FILE = Path(__file__).with_name("held_out.csv")


def held_out_ids(
    modality: str, extra: Collection[str] = (), file: Path = HELD_OUT_FILE
) -> frozenset[str]:
    """The ids of one modality in the list, and the extra ones."""
    return frozenset(extra) | {found for name, found in _read(file) if name == modality}


def _read(file: Path) -> list[tuple[str, str]]:
    with file.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        if next(reader, None) != ["modality", "id"]:
            raise BadManifest(f"{file}, line 1: the columns are not modality,id.")
        rows = []
        for cells in reader:
            if len(cells) != 2:
                raise BadManifest(f"{file}, line {reader.line_num}: not two cells.")
            rows.append((cells[0], cells[1]))
    return rows
