"""HAM10000 (images by id in any sub-folder, one metadata table) to a manifest by lesion.

* A group is a lesion; lesions that share a near-duplicate image are one group.
* Lesions with an image of full resolution are divided by class: 8 % `val`, 12 % `cal`, 15 %
  `test`, the rest `train`.
* Images of low resolution (shorter side below three quarters of the set's largest) may only
  join `train`, so that no figure is measured on them: views of a training lesion, and lesions
  that have nothing better, of every class but nv. The latter's nv are the part `lowres`, an
  internal check; low-resolution views of the other parts' lesions are `unused`.
* The column `view` is the image's folder, so that training can match crop and resolution;
  `mask` is the lesion mask's path relative to the image's folder, where there is one.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from training.manifest import (
    CAL,
    HELD_OUT,
    LOW_RESOLUTION,
    TEST,
    TRAIN,
    UNUSED,
    VAL,
    Manifest,
    Row,
    write_manifest,
)
from training.prepare.division import divide
from training.prepare.fingerprint import DuplicateRule
from training.prepare.groups import connected
from training.prepare.held_out import held_out_ids
from training.prepare.leaks import check_manifest, find_near_duplicates
from training.prepare.scan import IMAGE_SUFFIXES, BadData, Scan, scan_images

MODALITY = "skin-lesion"
RULE = DuplicateRule(phash_max=8, correlation=0.99, fit="center_crop")
SHARES = {VAL: 0.08, CAL: 0.12, TEST: 0.15}
SOURCE = "HAM10000, Tschandl et al. 2018, CC BY-NC 4.0"
_CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
_METADATA = ("HAM10000_metadata.csv", "metadata.csv", "HAM10000_metadata")
_COLUMNS = ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization")
_LOW_RESOLUTION = 0.75
_COMMON = "nv"


def prepare(data: Path, out: Path, *, exclude: Collection[str] = (), seed: int = 0) -> Manifest:
    """Write the manifest of the set in `data` to `out`, checked for leaks, and return it.

    `exclude` names further lesions (`HAM_0000550`) to keep out of training. Raise BadData when
    the layout is another one.
    """
    table = _read_table(data)
    rows = _read_images(data, table)
    links = [(one.group, other.group) for one, other in find_near_duplicates(rows, RULE, _group)]
    group_of = connected([row.group for row in rows], links)
    held_out = held_out_ids(MODALITY, exclude)
    barred = {group_of[lesion] for lesion in held_out if lesion in group_of}
    rows = [replace(row, group=group_of[row.group]) for row in rows]
    meta: dict[str, object] = {
        "source": SOURCE,
        "seed": seed,
        "near_duplicates": RULE.to_meta(),
        "held_out": sorted(barred),
    }
    manifest = Manifest(MODALITY, tuple(_divide(rows, barred, seed)), meta)
    check_manifest(manifest)
    return write_manifest(out, manifest)


def _group(row: Row) -> str:
    return row.group


def _read_table(data: Path) -> dict[str, Mapping[str, str]]:
    """The rows of the metadata table by image id."""
    for name in _METADATA:
        if (data / name).is_file():
            with (data / name).open(encoding="utf-8", newline="") as stream:
                reader = csv.DictReader(stream)
                missing = set(_COLUMNS) - set(reader.fieldnames or ())
                if missing:
                    raise BadData(f"{data / name}: the column {min(missing)!r} is missing.")
                return {row["image_id"]: row for row in reader}
    raise BadData(f"{data}: holds no {_METADATA[0]}.")


def _read_images(data: Path, table: Mapping[str, Mapping[str, str]]) -> list[Row]:
    images: dict[str, Path] = {}
    masks: dict[str, Path] = {}
    for path in sorted(data.rglob("*")):
        if path.suffix.lower() not in IMAGE_SUFFIXES:
            continue
        if "mask" in path.parent.name or "segmentation" in path.parent.name:
            masks.setdefault(path.stem.removesuffix("_segmentation"), path.resolve())
        elif path.stem in table:
            images.setdefault(path.stem, path)
    if not images:
        raise BadData(f"{data}: holds no image that the metadata name.")
    scans = scan_images(images.values(), RULE.fit)
    return [
        _to_row(image_id, scan, table[image_id], masks.get(image_id))
        for image_id, scan in zip(images, scans, strict=True)
    ]


def _to_row(image_id: str, scan: Scan, facts: Mapping[str, str], mask: Path | None) -> Row:
    attributes = {
        **scan.attributes,
        "view": scan.path.parent.name,
        "age": (facts["age"] or "").removesuffix(".0"),
        "sex": facts["sex"],
        "localization": facts["localization"],
        "dx_type": facts["dx_type"],
        "mask": os.path.relpath(mask, scan.path.parent) if mask else "",
    }
    if facts["dx"] not in _CLASSES:
        raise BadData(f"{image_id}: the class {facts['dx']!r} is none of {', '.join(_CLASSES)}.")
    return Row(image_id, scan.path, facts["dx"], TRAIN, facts["lesion_id"], scan.sha256, attributes)


def _divide(rows: Sequence[Row], barred: Collection[str], seed: int) -> list[Row]:
    sides = [min(int(r.attributes["width"]), int(r.attributes["height"])) for r in rows]
    limit = _LOW_RESOLUTION * max(sides)
    low = {row.id for row, side in zip(rows, sides, strict=True) if side < limit}
    full = [row for row in rows if row.id not in low and row.group not in barred]
    part_of = divide([row.group for row in full], [row.label for row in full], SHARES, seed=seed)

    def split_of(row: Row) -> str:
        if row.group in barred:
            return HELD_OUT
        if row.id not in low:
            return part_of[row.group]
        if row.group in part_of:
            return TRAIN if part_of[row.group] == TRAIN else UNUSED
        return LOW_RESOLUTION if row.label == _COMMON else TRAIN

    return [replace(row, split=split_of(row)) for row in rows]
