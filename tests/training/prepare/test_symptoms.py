import csv
import json

import pytest

from contracts.registry import get_modality
from training.manifest import read_manifest
from training.prepare.scan import BadData
from training.prepare.symptoms import DISEASES, prepare

SYMPTOMS = get_modality("symptoms")


def write_table(folder, rows):
    """Write the published layout: 132 columns, one spelling twice, a disease in the last cell."""
    ids = [term.id for term in SYMPTOMS.vocabulary]
    header = [*ids, ids[45], "prognosis"]
    with (folder / "Training.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(rows)


def row_of(disease, *present):
    return [1 if index in present else 0 for index in range(132)] + [disease]


def test_repeated_rows_become_one_case_each(tmp_path):
    write_table(tmp_path, [row_of("Malaria", 1, 2)] * 3 + [row_of("Malaria", 1)])

    manifest = prepare(tmp_path, tmp_path / "m.csv")

    assert [row.id for row in manifest.rows] == ["malaria-01", "malaria-02"]
    assert read_manifest(tmp_path / "m.csv", "symptoms").sha256 == manifest.sha256


def test_a_spelling_that_stands_twice_is_one_symptom(tmp_path):
    write_table(tmp_path, [row_of("Diabetes ", 45, 131)])

    (row,) = prepare(tmp_path, tmp_path / "m.csv").rows

    document = json.loads(row.attributes["input"])
    assert row.label == "diabetes"
    assert document == {"symptoms": [SYMPTOMS.vocabulary[45].id]}


def test_named_cases_are_kept_out(tmp_path):
    write_table(tmp_path, [row_of("Malaria", 1), row_of("Malaria", 2)])

    manifest = prepare(tmp_path, tmp_path / "m.csv", exclude=("malaria-01",))

    assert [row.id for row in manifest.rows] == ["malaria-02"]


@pytest.mark.parametrize("rows", [[row_of("Unknown disease", 1)], [["1", "0"]]])
def test_another_layout_is_refused(tmp_path, rows):
    write_table(tmp_path, rows)

    with pytest.raises(BadData):
        prepare(tmp_path, tmp_path / "m.csv")


def test_a_folder_without_the_table_is_refused(tmp_path):
    with pytest.raises(BadData, match=r"Training\.csv"):
        prepare(tmp_path, tmp_path / "m.csv")


def test_every_label_has_a_spelling_in_the_table():
    assert len(DISEASES) == len(set(DISEASES)) == len(SYMPTOMS.codes)
