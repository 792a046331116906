"""Every sample is listed, attributed and kept out of training."""

import csv
import json
from pathlib import Path

import pytest

from contracts.registry import get_modality

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
SAMPLES = list(csv.DictReader((EXAMPLES / "samples.csv").read_text().splitlines()))
#: Our file → the id under which its patient, lesion, image or record is kept out of training.
HELD_OUT = {
    "chest-xray/person418_virus_852.jpeg": ("chest-xray", "person418_virus"),
    "chest-xray/IM-0117-0001.jpeg": ("chest-xray", "IM-0117"),
    "skin-lesion/ISIC_0024332.jpg": ("skin-lesion", "HAM_0002240"),
    "skin-lesion/ISIC_0024306.jpg": ("skin-lesion", "HAM_0000550"),
    "breast-ultrasound/malignant-6.png": ("breast-ultrasound", "malignant (6)"),
    "breast-ultrasound/benign-31.png": ("breast-ultrasound", "benign (31)"),
    "ecg/00492_lr.hea": ("ecg", "492"),
    "ecg/00492_lr.dat": ("ecg", "492"),
    "ecg/00003_lr.hea": ("ecg", "3"),
    "ecg/00003_lr.dat": ("ecg", "3"),
}


def listed_files() -> list[str]:
    return [name for row in SAMPLES for name in row["files"].split()]


def test_every_sample_on_disk_is_listed_once():
    found = [
        str(path.relative_to(EXAMPLES))
        for path in EXAMPLES.glob("*/*")
        if path.is_file() and path.parent.name != "__pycache__"
    ]

    assert sorted(listed_files()) == sorted(found)


def test_every_folder_has_its_source_and_licence_in_the_readme():
    readme = (EXAMPLES / "README.md").read_text()

    for row in SAMPLES:
        assert f"`{row['modality']}/`" in readme


@pytest.mark.parametrize("row", SAMPLES, ids=lambda row: row["files"])
def test_a_sample_belongs_to_a_modality_and_its_reference_is_one_of_the_labels(row):
    modality = get_modality(row["modality"])

    assert row["origin"]
    assert row["reference"] in {"", *modality.codes}


def test_every_public_sample_is_kept_out_of_training():
    with (ROOT / "training/prepare/held_out.csv").open(newline="") as lines:
        held_out = {(row["modality"], row["id"]) for row in csv.DictReader(lines)}
    public = [name for name in listed_files() if not name.endswith(".json")]

    assert set(HELD_OUT) == set(public)
    assert set(HELD_OUT.values()) <= held_out


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.json")), ids=lambda path: path.name)
def test_a_made_up_sample_uses_known_columns(path):
    modality = get_modality(path.parent.name)
    members = set(json.loads(path.read_text()))
    known = {column.name for column in modality.table.columns} if modality.table else {"symptoms"}

    assert members
    assert members <= known
