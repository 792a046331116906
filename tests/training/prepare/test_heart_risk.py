import json

import pytest

from training.manifest import read_manifest
from training.prepare.heart_risk import prepare
from training.prepare.scan import BadData

CLEVELAND = "63.0,1.0,1.0,145.0,233.0,1.0,2.0,150.0,0.0,2.3,3.0,0.0,6.0,0\n"
VA = "63,1,4,0,0,,1,,1,-9,2,?,,3\n"
HEADER = "age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,target\n"


def test_rows_become_documents_in_our_names_and_codes(tmp_path):
    (tmp_path / "processed.cleveland.data").write_text(CLEVELAND)

    (row,) = prepare(tmp_path, tmp_path / "m.csv").rows

    assert (row.label, row.attributes["hospital"]) == ("no_disease", "cleveland")
    assert json.loads(row.attributes["input"]) == {
        "age": 63,
        "sex": "male",
        "blood_pressure": 145,
        "cholesterol": 233,
        "chest_pain": "typical_angina",
        "max_heart_rate": 150,
        "exercise_angina": False,
        "fasting_blood_sugar": True,
        "resting_ecg": "lv_hypertrophy",
        "st_depression": 2.3,
        "st_slope": "downsloping",
        "vessels_coloured": 0,
        "thallium": "fixed_defect",
    }


def test_every_spelling_of_missing_is_missing(tmp_path):
    (tmp_path / "processed.va.data").write_text(VA)

    (row,) = prepare(tmp_path, tmp_path / "m.csv").rows

    assert row.label == "disease"
    assert set(json.loads(row.attributes["input"])) == {
        "age",
        "sex",
        "chest_pain",
        "resting_ecg",
        "exercise_angina",
        "st_slope",
    }


def test_a_header_row_and_repeated_rows_are_left_out(tmp_path):
    (tmp_path / "processed.va.data").write_text(HEADER + VA + VA)

    manifest = prepare(tmp_path, tmp_path / "m.csv")

    assert [row.id for row in manifest.rows] == ["va-002"]
    assert read_manifest(tmp_path / "m.csv", "heart-risk").sha256 == manifest.sha256


@pytest.mark.parametrize(
    "line",
    [
        "63,1,4\n",
        VA.replace("63,1,4", "630,1,4"),
        VA.replace("63,1,4", "63,1,5"),
        "x" + VA,
    ],
)
def test_a_row_that_cannot_be_is_named(tmp_path, line):
    (tmp_path / "processed.va.data").write_text(VA + line)

    with pytest.raises(BadData, match="line 2"):
        prepare(tmp_path, tmp_path / "m.csv")


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(BadData, match=r"processed\."):
        prepare(tmp_path, tmp_path / "m.csv")
