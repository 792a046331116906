"""The four hospitals' files of UCI heart disease (`processed.<hospital>.data`) to one manifest.

The files have 14 columns, with or without a header row. Missing is `?`, an empty cell, -9, a
cholesterol of 0 or a blood pressure of 0. The target is 0 (no narrowing above 50 %) or 1 to 4;
anything above 0 is disease. A row that repeats another one of its hospital is dropped.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterator
from pathlib import Path

from contracts.errors import InvalidField
from contracts.modalities.heart_risk import HEART_RISK
from contracts.modality import TableSpec
from contracts.tables import TableRow, decode_table, encode_table
from training.manifest import TRAIN, Manifest, Row, file_sha256, write_manifest
from training.prepare.scan import BadData

HOSPITALS = ("cleveland", "hungarian", "switzerland", "va")
#: Our name of each column in the order of the files.
COLUMNS = (
    "age",
    "sex",
    "chest_pain",
    "blood_pressure",
    "cholesterol",
    "fasting_blood_sugar",
    "resting_ecg",
    "max_heart_rate",
    "exercise_angina",
    "st_depression",
    "st_slope",
    "vessels_coloured",
    "thallium",
)
_ABSENT = frozenset({"", "?"})
_ABSENT_NUMBER = -9.0
#: Columns in which nought stands for a measurement that was not made.
_ZERO_IS_ABSENT = frozenset({"cholesterol", "blood_pressure"})


def prepare(data: Path, out: Path, *, exclude: Collection[str] = ()) -> Manifest:
    """Write the manifest of the hospitals' files in `data` to `out` and return it.

    `exclude` names cases (`cleveland-001`) to keep out. Raise BadData for another layout.
    """
    if HEART_RISK.table is None:
        raise BadData("the registry has no columns for heart-risk")
    rows: list[Row] = []
    counts: dict[str, int] = {}
    for hospital in HOSPITALS:
        source = data / f"processed.{hospital}.data"
        if not source.exists():
            source = data / "heart" / source.name
        if source.exists():
            found = list(_read(source, hospital, HEART_RISK.table))
            counts[hospital] = len(found)
            rows += found
    if not rows:
        raise BadData(f"{data}: holds no processed.<hospital>.data.")
    meta: dict[str, object] = {
        "source": "UCI heart disease (Janosi, Steinbrunn, Pfisterer, Detrano 1988), CC BY 4.0",
        "hospitals": counts,
    }
    kept = tuple(row for row in rows if row.id not in set(exclude))
    return write_manifest(out, Manifest(HEART_RISK.id, kept, meta))


def _read(source: Path, hospital: str, spec: TableSpec) -> Iterator[Row]:
    """The distinct rows of one file."""
    digest = file_sha256(source)
    seen: set[tuple[str, ...]] = set()
    with source.open(newline="", encoding="ascii") as stream:
        for line, cells in enumerate(csv.reader(stream), start=1):
            key = tuple(cell.strip() for cell in cells)
            if not any(key) or key[0] == "age" or key in seen:
                continue
            seen.add(key)
            document, label = _parse(source, line, key, spec)
            attributes = {
                "input": json.dumps(document),
                "hospital": hospital,
                "age": str(document.get("age", "")),
                "sex": str(document.get("sex", "")),
            }
            name = f"{hospital}-{line:03d}"
            yield Row(name, source, label, TRAIN, name, digest, attributes)


def _parse(
    source: Path, line: int, cells: tuple[str, ...], spec: TableSpec
) -> tuple[dict[str, float | str | bool], str]:
    """The public document and the label of one row; raise BadData naming the line."""
    try:
        *features, target = cells
        by_name = {name: _number(name, cell) for name, cell in zip(COLUMNS, features, strict=True)}
        names = tuple(column.name for column in spec.columns)
        document = encode_table(TableRow(names, tuple(by_name[name] for name in names)), spec)
        decode_table(document, spec, complete=False)
        label = HEART_RISK.codes[float(target) > 0]
    except (ValueError, StopIteration, InvalidField) as error:
        raise BadData(f"{source}, line {line}: is no row of the 14 columns.") from error
    return document, label


def _number(name: str, cell: str) -> float | None:
    """The value of one cell, None where the files mean that it is missing."""
    if cell in _ABSENT:
        return None
    value = float(cell)
    if value == _ABSENT_NUMBER or (value == 0 and name in _ZERO_IS_ABSENT):
        return None
    return value
