"""Kermany chest films (`train|test[/val]/NORMAL|PNEUMONIA`) to a manifest grouped by patient.

* A patient is (person number, bacteria or virus) or (prefix, IM number); patients who share a
  byte-identical film are one group.
* The official test folder is the part `test`, and nothing is dropped from it. Of a
  near-duplicate pair across the two, the training film becomes `unused`.
* The other films are divided by patient: 15 % `val`, 10 % `cal`, the rest `train`. A random
  validation part is no guide here (a linear model on thumbnails reaches .987 inside train and
  .899 on the test), so half of `val` and `cal` is drawn at random and half from the third of
  the patients that is least like the bulk of its class; the column `shift` holds that score of
  each film, see training.prepare.shift. No test image takes part in it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from training.manifest import CAL, HELD_OUT, TEST, TRAIN, UNUSED, VAL, Manifest, Row, write_manifest
from training.prepare.division import divide
from training.prepare.fingerprint import DuplicateRule
from training.prepare.groups import connected, links_of_equal
from training.prepare.held_out import held_out_ids
from training.prepare.leaks import check_manifest, find_near_duplicates
from training.prepare.scan import BadData, Scan, find_images, first_folder, scan_images
from training.prepare.shift import shift_scores

MODALITY = "chest-xray"
RULE = DuplicateRule(phash_max=4, correlation=0.99, fit="squash")
SHARES = {VAL: 0.15, CAL: 0.10}
SOURCE = "Kermany et al. 2018, CC BY 4.0"
_CLASSES = ("NORMAL", "PNEUMONIA")
_PNEUMONIA = re.compile(r"(person(\d+)_(bacteria|virus))_")
_NORMAL = re.compile(r"((?:NORMAL\d*-)?IM-\d+)-")


@dataclass(frozen=True, slots=True)
class _Film:
    id: str
    label: str
    official_test: bool
    patient: str
    subtype: str
    scan: Scan


def prepare(data: Path, out: Path, *, exclude: Collection[str] = (), seed: int = 0) -> Manifest:
    """Write the manifest of the set in `data` to `out`, checked for leaks, and return it.

    `exclude` names further patients (`person1446_bacteria`, `IM-0117`) to keep out of training.
    Raise BadData when the layout is another one.
    """
    films = _read_films(data)
    names = [film.patient for film in films]
    group_of = connected(names, links_of_equal(names, [film.scan.sha256 for film in films]))
    groups = [group_of[film.patient] for film in films]
    held_out = held_out_ids(MODALITY, exclude)
    barred = {group_of[patient] for patient in held_out if patient in group_of}
    splits, shift = _divide(films, groups, barred, seed)
    rows = [
        _to_row(film, group, split, shift.get(film.id, ""))
        for film, group, split in zip(films, groups, splits, strict=True)
    ]
    meta: dict[str, object] = {
        "source": SOURCE,
        "seed": seed,
        "near_duplicates": RULE.to_meta(),
        "held_out": sorted(barred),
    }
    manifest = Manifest(MODALITY, _without_copies_of_test(rows), meta)
    check_manifest(manifest)
    return write_manifest(out, manifest)


def _read_films(data: Path) -> list[_Film]:
    root = first_folder(data, ("", "chest_xray", "chest_xray/chest_xray"), holding="train")
    found = [
        (path, folder, label)
        for folder in ("train", "val", "test")
        for label in _CLASSES
        if (root / folder / label).is_dir()
        for path in find_images(root / folder / label)
    ]
    if not found:
        raise BadData(f"{root}: holds no films in train|test/NORMAL|PNEUMONIA.")
    scans = scan_images([path for path, _, _ in found], RULE.fit)
    return [
        _Film(f"{folder}/{label}/{path.name}", label, folder == "test", *_patient(path), scan)
        for (path, folder, label), scan in zip(found, scans, strict=True)
    ]


def _patient(path: Path) -> tuple[str, str]:
    """The patient and the subtype that a film's name states; raise BadData for another name."""
    if match := _PNEUMONIA.match(path.name):
        return match[1], match[3]
    if match := _NORMAL.match(path.name):
        return match[1], "normal"
    raise BadData(f"{path}: the name states no patient (personN_bacteria_… or IM-NNNN-…).")


def _divide(
    films: Sequence[_Film], groups: Sequence[str], barred: Collection[str], seed: int
) -> tuple[list[str], dict[str, str]]:
    """The part of every film, and the shift score of those that were divided."""
    tested = {group for film, group in zip(films, groups, strict=True) if film.official_test}
    ours = [
        (film, group)
        for film, group in zip(films, groups, strict=True)
        if group not in tested and group not in barred
    ]
    if not ours:
        raise BadData("No film is left for training.")
    labels = [film.label for film, _ in ours]
    own_groups = [group for _, group in ours]
    scores = shift_scores([film.scan for film, _ in ours], labels, own_groups)
    part_of = divide(own_groups, labels, SHARES, seed=seed, hard=_means(own_groups, scores))
    splits = []
    for film, group in zip(films, groups, strict=True):
        if film.official_test:
            splits.append(TEST)
        elif group in part_of:
            splits.append(part_of[group])
        else:
            splits.append(HELD_OUT if group in barred else UNUSED)
    shift = {film.id: f"{score:.3f}" for (film, _), score in zip(ours, scores, strict=True)}
    return splits, shift


def _means(groups: Sequence[str], scores: Sequence[float]) -> Mapping[str, float]:
    gathered: dict[str, list[float]] = defaultdict(list)
    for group, score in zip(groups, scores, strict=True):
        gathered[group].append(score)
    return {group: sum(values) / len(values) for group, values in gathered.items()}


def _to_row(film: _Film, group: str, split: str, shift: str) -> Row:
    attributes = {**film.scan.attributes, "subtype": film.subtype, "shift": shift}
    return Row(film.id, film.scan.path, film.label, split, group, film.scan.sha256, attributes)


def _without_copies_of_test(rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows, with every training film that copies a film of a later part made unused.

    Between training parts the film of `train` gives way, so that no part is thinned twice.
    """
    order = {TRAIN: 0, CAL: 1, VAL: 2, TEST: 3}
    gone = {
        min(pair, key=lambda row: order.get(row.split, -1)).id
        for pair in find_near_duplicates(rows, RULE)
    }
    return tuple(replace(row, split=UNUSED) if row.id in gone else row for row in rows)
