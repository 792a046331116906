"""PTB-XL (`ptbxl_database.csv`, `scp_statements.csv`, `records100/`) to a manifest by patient.

* Labels are the superclasses NORM, MI, STTC, CD and HYP of every diagnostic statement of a
  record, whatever its likelihood, as in the published benchmark (Strodthoff et al. 2021).
  Records without one are left out and counted in the metadata.
* Only records whose files are there take part; a flat `records100/` is read as well.
* `fold` (fold0 … fold4) joins the ten official folds in pairs, which never split a patient.
* All of PTB-XL: folds 1–7 are `train`, 8 is `val`, 9 is `cal`, 10 is `test`. With less than
  5,000 records there is no `test`; figures of the recipe are out-of-fold, and for the one
  released model `val` is 10 % and `cal` 15 % of the patients of each class.
* `path` and `sha256` are those of the header, whose checksums cover the signals beside it.
"""

from __future__ import annotations

import ast
import csv
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.errors import ServiceError
from contracts.registry import get_modality
from training.ecg.records import read_waveform
from training.manifest import (
    CAL,
    HELD_OUT,
    TEST,
    TRAIN,
    VAL,
    Manifest,
    Row,
    file_sha256,
    write_manifest,
)
from training.prepare.division import divide
from training.prepare.groups import connected, links_of_equal
from training.prepare.held_out import held_out_ids
from training.prepare.leaks import check_manifest
from training.prepare.scan import BadData, first_folder

MODALITY = "ecg"
SHARES = {VAL: 0.10, CAL: 0.15}
SOURCE = "PTB-XL 1.0.3, Wagner et al. 2020, CC BY 4.0"
COMPLETE = 5000
_OFFICIAL = {8: VAL, 9: CAL, 10: TEST}
_SEX = {"0": "male", "1": "female"}
#: Patients over 89 are stated as 300 years old.
_OVER_89 = 300.0


@dataclass(frozen=True, slots=True)
class _Record:
    id: str
    header: Path
    labels: tuple[str, ...]
    patient: str
    fold: int
    attributes: Mapping[str, str]


def prepare(
    data: Path,
    out: Path,
    *,
    exclude: Collection[str] = (),
    seed: int = 0,
    complete: int = COMPLETE,
) -> Manifest:
    """Write the manifest of the set in `data` to `out`, checked for leaks, and return it.

    `exclude` names further records (`492`), whose patients are kept out of training. From
    `complete` records on the official folds are the parts. Raise BadData when the layout is
    another one or a record cannot be read.
    """
    root = first_folder(data, ("", "ptbxl", "ptb-xl"), holding="ptbxl_database.csv")
    superclass = _superclasses(root)
    found = [_record(root, row, superclass) for row in _table(root / "ptbxl_database.csv")]
    there = [record for record in found if record is not None]
    records = [record for record in there if record.labels]
    if not records:
        raise BadData(f"{root}: holds no record with files and a superclass.")
    group_of = _groups(records)
    held_out = held_out_ids(MODALITY, exclude)
    barred = {group_of[record.patient] for record in records if record.id in held_out}
    meta: dict[str, object] = {
        "source": SOURCE,
        "seed": seed,
        "held_out": sorted(barred),
        "without_files": len(found) - len(there),
        "without_superclass": len(there) - len(records),
    }
    ours = [record for record in records if group_of[record.patient] not in barred]
    official = len(ours) >= complete
    part_of = _official(ours) if official else _divided(ours, group_of, seed)
    rows = [
        _row(record, group_of[record.patient], part_of.get(record.id, HELD_OUT))
        for record in records
    ]
    manifest = Manifest(MODALITY, tuple(rows), meta)
    check_manifest(manifest)
    return write_manifest(out, manifest)


def _table(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8", newline="") as stream:
            return list(csv.DictReader(stream))
    except OSError as error:
        raise BadData(f"{file}: cannot be read ({error.strerror}).") from error


def _superclasses(root: Path) -> dict[str, str]:
    """The superclass of each diagnostic statement; the statement's code has no column name."""
    codes = get_modality(MODALITY).codes
    return {
        row[""]: row["diagnostic_class"]
        for row in _table(root / "scp_statements.csv")
        if row["diagnostic_class"] in codes and float(row["diagnostic"] or 0) == 1.0
    }


def _record(root: Path, row: Mapping[str, str], superclass: Mapping[str, str]) -> _Record | None:
    """One line of the table, or None when its files are not there."""
    published = root / f"{row['filename_lr']}.hea"
    places = (published, root / "records100" / published.name)
    header = next((place for place in places if place.is_file()), None)
    if header is None or not header.with_suffix(".dat").is_file():
        return None
    statements = ast.literal_eval(row["scp_codes"])
    present = {superclass[code] for code in statements if code in superclass}
    labels = tuple(code for code in get_modality(MODALITY).codes if code in present)
    patient = str(int(float(row["patient_id"])))
    return _Record(row["ecg_id"], header, labels, patient, int(row["strat_fold"]), _attributes(row))


def _attributes(row: Mapping[str, str]) -> dict[str, str]:
    """Age in years (90 for over 89), sex, site, device and official fold; empty if unknown."""
    age = float(row["age"]) if row["age"] else None
    known_age = "" if age is None else f"{90 if age == _OVER_89 else age:g}"
    return {
        "age": known_age,
        "sex": _SEX.get(row["sex"], ""),
        "site": f"{float(row['site']):g}" if row["site"] else "",
        "device": row["device"].strip(),
        "strat_fold": row["strat_fold"],
        "fold": f"fold{(int(row['strat_fold']) - 1) % 5}",
    }


def _groups(records: Sequence[_Record]) -> dict[str, str]:
    """Patients, joined where two of them share the very same signals."""
    patients = [record.patient for record in records]
    digests = [file_sha256(record.header.with_suffix(".dat")) for record in records]
    return connected(patients, links_of_equal(patients, digests))


def _official(records: Sequence[_Record]) -> dict[str, str]:
    """The part of each record by its published fold."""
    return {record.id: _OFFICIAL.get(record.fold, TRAIN) for record in records}


def _divided(records: Sequence[_Record], group_of: Mapping[str, str], seed: int) -> dict[str, str]:
    """The part of each record where there are too few for a test part."""
    groups = [group_of[record.patient] for record in records]
    by_group = divide(groups, _strata(records), SHARES, seed=seed)
    return {record.id: by_group[group] for record, group in zip(records, groups, strict=True)}


def _strata(records: Sequence[_Record]) -> list[str]:
    """The rarest label of each record, so that each part gets its share of the rare ones."""
    counts = Counter(label for record in records for label in record.labels)
    return [min(record.labels, key=counts.__getitem__) for record in records]


def _row(record: _Record, group: str, split: str) -> Row:
    try:
        waveform = read_waveform(record.header)
    except ServiceError as error:
        raise BadData(f"{record.header}: {error.detail}") from error
    facts = {**record.attributes, "duration": f"{waveform.duration_seconds:g}"}
    if split == HELD_OUT:
        facts["fold"] = ""
    label = ";".join(record.labels)
    digest = file_sha256(record.header)
    return Row(record.id, record.header.resolve(), label, split, group, digest, facts)
