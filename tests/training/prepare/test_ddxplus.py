"""The published layout of DDXPlus, on a generated sample: files, fit, and scores."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest

from training.manifest import CAL, TEST, TRAIN, BadManifest, read_manifest
from training.prepare import ddxplus, symptoms
from training.prepare.scan import BadData
from training.tables.symptom_model import Classifier, fit_naive_bayes, read_cases
from training.tabular import train_table

CONDITIONS = {"Bronchitis": {}, "Possible NSTEMI / STEMI": {}, "GERD": {}}
EVIDENCES = {
    "E_48": {"data_type": "B", "default_value": 0, "possible-values": []},
    "E_50": {"data_type": "B", "default_value": 0, "possible-values": []},
    "E_201": {"data_type": "B", "default_value": 0, "possible-values": []},
    "E_54": {"data_type": "M", "default_value": "V_11", "possible-values": ["V_11", "V_161"]},
    "E_56": {"data_type": "C", "default_value": 0, "possible-values": [0, 1, 2]},
}
TYPICAL = {
    "Bronchitis": ["E_201", "E_48", "E_54_@_V_11"],
    "Possible NSTEMI / STEMI": ["E_50", "E_54_@_V_161", "E_56_@_2"],
    "GERD": ["E_54_@_V_161", "E_56_@_1", "E_48"],
}


def csv_text(count):
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(
        ["AGE", "DIFFERENTIAL_DIAGNOSIS", "SEX", "PATHOLOGY", "EVIDENCES", "INITIAL_EVIDENCE"]
    )
    for index in range(count):
        pathology = list(TYPICAL)[index % 3]
        given = TYPICAL[pathology]
        writer.writerow([20 + index, "[]", "F", pathology, repr(given), given[0]])
    return buffer.getvalue()


@pytest.fixture
def sample(tmp_path):
    (tmp_path / ddxplus.CONDITIONS).write_text(json.dumps(CONDITIONS))
    (tmp_path / ddxplus.EVIDENCES).write_text(json.dumps(EVIDENCES))
    (tmp_path / "release_validate_patients").write_text(csv_text(6))
    (tmp_path / "release_test_patients.csv").write_text(csv_text(3))
    with zipfile.ZipFile(tmp_path / "release_train_patients.zip", "w") as archive:
        archive.writestr("release_train_patients", csv_text(30))
    return tmp_path


def test_the_official_parts_are_kept_and_defaults_are_no_symptoms(sample):
    manifest = symptoms.prepare(sample, sample / "m.csv")

    assert [len(manifest.part(part)) for part in (TRAIN, CAL, TEST)] == [30, 6, 3]
    assert json.loads(manifest.rows[0].attributes["input"]) == {"symptoms": ["E_201", "E_48"]}
    assert manifest.rows[1].label == "possible_nstemi_stemi"


def test_a_training_on_another_vocabulary_is_refused_and_says_so(sample):
    symptoms.prepare(sample, sample / "m.csv")

    with pytest.raises(BadManifest, match="those of DDXPlus, another vocabulary"):
        train_table("symptoms", sample / "m.csv", sample / "out")

    assert read_manifest(sample / "m.csv").part(TEST)


def test_the_files_describe_labels_and_vocabulary(sample):
    modality = ddxplus.read_modality(sample)

    assert modality.codes == ("bronchitis", "gerd", "possible_nstemi_stemi")
    assert [term.id for term in modality.vocabulary] == [
        "E_48",
        "E_50",
        "E_201",
        "E_54_@_V_161",
        "E_56_@_1",
        "E_56_@_2",
    ]


def test_the_same_model_fits_and_ranks_them(sample):
    modality = ddxplus.read_modality(sample)
    manifest = ddxplus.prepare(sample, sample / "m.csv")
    train, test = (read_cases(manifest.part(part), modality) for part in (TRAIN, TEST))

    model = Classifier(fit_naive_bayes(train.present, train.labels, 0.02))
    ranked = np.array(modality.codes)[model.log_proba(test.present, modality.codes).argmax(axis=1)]

    assert ranked.tolist() == test.labels.tolist()


@pytest.mark.parametrize("cell", ["no list", "['E_48'", "{}"])
def test_a_patient_that_is_not_in_the_published_form_is_named(sample, cell):
    (sample / "release_test_patients.csv").write_text(
        f'AGE,SEX,PATHOLOGY,EVIDENCES\n30,F,Unheard of,"{cell}"\n'
    )

    with pytest.raises(BadData, match="patient 1"):
        ddxplus.prepare(sample, sample / "m.csv")


def test_a_damaged_archive_is_refused(sample):
    (sample / "release_train_patients.zip").write_bytes(b"PK")

    with pytest.raises(BadData, match="archive"):
        ddxplus.prepare(sample, sample / "m.csv")
