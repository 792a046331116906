"""BUSI breast ultrasound (`normal|benign|malignant/*`) to a manifest by near-duplicate group.

* There are no patient ids. A group is what `groups.csv` says where the set carries one, else
  the images connected by thumbnail correlation above .95; byte-identical images join groups.
* Images of two classes that are near-duplicates (correlation above .99) contradict each other:
  both become `unused`.
* Figures of the recipe are out-of-fold: the column `fold` (fold0 … fold4) divides everything by
  group and class. For the one released model the same images are `val` 10 %, `cal` 15 % and
  `train`; there is no `test`.
* `original_width` and `original_height` are those of the published file; `mask` is the lesion
  mask's path relative to the image's folder, where there is one.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from training.manifest import CAL, HELD_OUT, TRAIN, UNUSED, VAL, Manifest, Row, write_manifest
from training.prepare.division import divide
from training.prepare.fingerprint import DuplicateRule
from training.prepare.groups import connected, links_of_equal
from training.prepare.held_out import held_out_ids
from training.prepare.leaks import check_manifest
from training.prepare.scan import BadData, Scan, find_images, first_folder, scan_images

MODALITY = "breast-ultrasound"
RULE = DuplicateRule(phash_max=8, correlation=0.99, fit="squash")
SHARES = {VAL: 0.10, CAL: 0.15}
SOURCE = "BUSI, Al-Dhabyani et al. 2020, CC BY 4.0"
_CLASSES = ("normal", "benign", "malignant")
_SAME_GROUP = 0.95
_FOLDS = 5


def prepare(data: Path, out: Path, *, exclude: Collection[str] = (), seed: int = 0) -> Manifest:
    """Write the manifest of the set in `data` to `out`, checked for leaks, and return it.

    `exclude` names further images (`benign (31)`), whose whole groups are kept out of training.
    Raise BadData when the layout is another one.
    """
    root = first_folder(data, ("", "Dataset_BUSI_with_GT"), holding="malignant")
    paths = [path for label in _CLASSES for path in _images_of(root, label)]
    scans = scan_images(paths, RULE.fit)
    names = [f"{path.parent.name}/{path.name}" for path in paths]
    facts = _read_groups(root)
    group_of = _groups(names, scans, facts)
    held_out = held_out_ids(MODALITY, exclude)
    barred = {group_of[name] for name in names if Path(name).stem in held_out}
    rows = [
        _to_row(root, name, scan, group_of[name], facts.get(name))
        for name, scan in zip(names, scans, strict=True)
    ]
    rows = _divide(_without_contradictions(rows, scans), barred, seed)
    meta: dict[str, object] = {
        "source": SOURCE,
        "seed": seed,
        "near_duplicates": RULE.to_meta(),
        "group_correlation": "groups.csv" if facts else _SAME_GROUP,
        "held_out": sorted(barred),
    }
    manifest = Manifest(MODALITY, tuple(rows), meta)
    check_manifest(manifest)
    return write_manifest(out, manifest)


def _images_of(root: Path, label: str) -> list[Path]:
    if not (root / label).is_dir():
        raise BadData(f"{root}: holds no folder {label!r}.")
    return [path for path in find_images(root / label) if "_mask" not in path.stem]


def _read_groups(root: Path) -> dict[str, Mapping[str, str]]:
    """The rows of `groups.csv` by file, or nothing where the set carries none."""
    file = root / "groups.csv"
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as stream:
        return {row["file"]: row for row in csv.DictReader(stream)}


def _groups(
    names: Sequence[str], scans: Sequence[Scan], facts: Mapping[str, Mapping[str, str]]
) -> dict[str, str]:
    """Map each image to the first name of its group."""
    links = links_of_equal(names, [scan.sha256 for scan in scans])
    if facts:
        unknown = [name for name in names if name not in facts]
        if unknown:
            raise BadData(f"groups.csv: the image {unknown[0]!r} is missing.")
        links += links_of_equal(names, [facts[name]["group"] for name in names])
    else:
        links += [(names[one], names[other]) for one, other in _alike(scans, _SAME_GROUP)]
    return connected(names, links)


def _alike(scans: Sequence[Scan], correlation: float) -> list[tuple[int, int]]:
    """Positions of the pairs whose grey pictures correlate above the limit."""
    greys = np.stack([scan.grey for scan in scans])
    pairs = np.argwhere(np.triu(greys @ greys.T, k=1) > correlation)
    return [(int(one), int(other)) for one, other in pairs]


def _to_row(root: Path, name: str, scan: Scan, group: str, facts: Mapping[str, str] | None) -> Row:
    label, stem = scan.path.parent.name, scan.path.stem
    masks = (root / "masks" / label / f"{stem}.png", root / label / f"{stem}_mask.png")
    mask = next((path for path in masks if path.is_file()), None)
    attributes = {
        **scan.attributes,
        "original_width": facts["original_width"] if facts else str(scan.width),
        "original_height": facts["original_height"] if facts else str(scan.height),
        "mask": os.path.relpath(mask.resolve(), scan.path.parent) if mask else "",
    }
    return Row(name, scan.path, label, TRAIN, group, scan.sha256, attributes)


def _without_contradictions(rows: Sequence[Row], scans: Sequence[Scan]) -> list[Row]:
    contradicted = {
        position
        for pair in _alike(scans, RULE.correlation)
        if rows[pair[0]].label != rows[pair[1]].label
        for position in pair
    }
    return [
        replace(row, split=UNUSED) if position in contradicted else row
        for position, row in enumerate(rows)
    ]


def _divide(rows: Sequence[Row], barred: Collection[str], seed: int) -> list[Row]:
    kept = [row for row in rows if row.split != UNUSED and row.group not in barred]
    groups = [row.group for row in kept]
    labels = [row.label for row in kept]
    part_of = divide(groups, labels, SHARES, seed=seed)
    folds = StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed)
    fold_of = {
        kept[position].id: f"fold{number}"
        for number, (_, members) in enumerate(folds.split(kept, labels, groups))
        for position in members
    }
    return [
        replace(
            row,
            split=_split_of(row, part_of, barred),
            attributes={**row.attributes, "fold": fold_of.get(row.id, "")},
        )
        for row in rows
    ]


def _split_of(row: Row, part_of: Mapping[str, str], barred: Collection[str]) -> str:
    if row.group in barred:
        return HELD_OUT
    return UNUSED if row.split == UNUSED else part_of[row.group]
