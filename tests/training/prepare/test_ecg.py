import csv
from pathlib import Path

import numpy as np
import pytest

from tests.contracts.wfdb_samples import counts_of, synthetic_ecg, wfdb_header
from training.manifest import CAL, HELD_OUT, TEST, TRAIN, VAL, read_manifest
from training.prepare import ecg
from training.prepare.scan import BadData

SHARED = Path(__file__).parents[4] / "shared" / "data" / "ecg"
STATEMENTS = [
    ("NORM", "1.0", "NORM"),
    ("IMI", "1.0", "MI"),
    ("ASMI", "1.0", "MI"),
    ("NDT", "1.0", "STTC"),
    ("LVH", "1.0", "HYP"),
    ("CLBBB", "1.0", "CD"),
    ("SR", "", ""),
    ("AFIB", "", ""),
]
COLUMNS = [
    "ecg_id", "patient_id", "age", "sex", "site", "device", "scp_codes", "strat_fold",
    "filename_lr",
]  # fmt: skip


def line(number: int, codes: dict, *, patient: int | None = None, age: str = "56.0") -> dict:
    return {
        "ecg_id": str(number),
        "patient_id": f"{patient or 100 + number}.0",
        "age": age,
        "sex": str(number % 2),
        "site": "1.0",
        "device": "CS-12   E",
        "scp_codes": repr(codes),
        "strat_fold": str(number % 10 + 1),
        "filename_lr": f"records100/00000/{number:05d}_lr",
    }


def write_set(root: Path, lines: list[dict], *, flat: bool = False) -> Path:
    with (root / "scp_statements.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows([("", "diagnostic", "diagnostic_class"), *STATEMENTS])
    with (root / "ptbxl_database.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    for row in lines:
        name = row["filename_lr"]
        header = root / f"{name.replace('00000/', '') if flat else name}.hea"
        header.parent.mkdir(parents=True, exist_ok=True)
        counts = counts_of(synthetic_ecg(seconds=2, noise_mv=0.01, seed=int(row["ecg_id"])))
        header.write_text(wfdb_header(counts, record="r 12 100 200"))
        header.with_suffix(".dat").write_bytes(counts.T.astype("<i2").tobytes())
    return root


def lines(count: int = 40) -> list[dict]:
    codes = [{"NORM": 100.0, "SR": 0.0}, {"IMI": 50.0}, {"NDT": 0.0}, {"LVH": 15.0, "CLBBB": 1.0}]
    return [line(1000 + number, codes[number % 4]) for number in range(count)]


@pytest.mark.parametrize("flat", [False, True])
def test_the_published_and_the_flat_layout_give_the_same_labels(tmp_path, flat):
    write_set(tmp_path, lines(), flat=flat)

    manifest = ecg.prepare(tmp_path, tmp_path / "out" / "ecg.csv")

    assert [row.label for row in manifest.rows[:4]] == ["NORM", "MI", "STTC", "CD;HYP"]
    assert read_manifest(tmp_path / "out" / "ecg.csv").rows[0].path.is_file()


def test_every_diagnostic_statement_counts_whatever_its_likelihood(tmp_path):
    codes = {"ASMI": 0.0, "IMI": 100.0, "NORM": 80.0, "AFIB": 0.0}
    write_set(tmp_path, [*lines(8), line(5000, codes)])

    manifest = ecg.prepare(tmp_path, tmp_path / "ecg.csv")

    assert manifest.rows[-1].labels == ("NORM", "MI")


def test_records_without_superclass_or_files_are_left_out_and_counted(tmp_path):
    write_set(tmp_path, [*lines(8), line(5000, {"SR": 0.0}), line(5001, {"NORM": 100.0})])
    (tmp_path / "records100/00000/05001_lr.dat").unlink()

    manifest = ecg.prepare(tmp_path, tmp_path / "ecg.csv")

    assert len(manifest.rows) == 8
    assert manifest.meta["without_superclass"] == 1
    assert manifest.meta["without_files"] == 1


def test_attributes_are_named_and_over_89_is_ninety(tmp_path):
    write_set(
        tmp_path,
        [*lines(8), line(5000, {"NORM": 1.0}, age="300.0"), line(5001, {"NORM": 1.0}, age="")],
    )

    rows = ecg.prepare(tmp_path, tmp_path / "ecg.csv").rows

    assert rows[0].attributes == {
        "age": "56", "sex": "male", "site": "1", "device": "CS-12   E", "strat_fold": "1",
        "fold": "fold0", "duration": "2",
    }  # fmt: skip
    assert [row.attributes["age"] for row in rows[-2:]] == ["90", ""]
    assert rows[-1].attributes["sex"] == "female"


def test_a_patient_never_stands_in_two_parts(tmp_path):
    doubled = [line(2000 + n, {"NORM": 1.0}, patient=900 + n % 10) for n in range(30)]
    write_set(tmp_path, [*lines(20), *doubled])

    rows = ecg.prepare(tmp_path, tmp_path / "ecg.csv").rows

    parts: dict[str, set[str]] = {}
    for row in rows:
        parts.setdefault(row.group, set()).add(row.split)
    assert all(len(found) == 1 for found in parts.values())
    assert {row.split for row in rows} == {TRAIN, VAL, CAL}


def test_patients_with_the_same_signals_are_one_group(tmp_path):
    write_set(tmp_path, lines(20))
    folder = tmp_path / "records100/00000"
    for suffix in (".hea", ".dat"):
        (folder / f"01004_lr{suffix}").write_bytes((folder / f"01000_lr{suffix}").read_bytes())

    rows = ecg.prepare(tmp_path, tmp_path / "ecg.csv").rows

    assert rows[0].group == rows[4].group


def test_a_large_set_keeps_the_official_folds(tmp_path):
    write_set(tmp_path, lines())

    rows = ecg.prepare(tmp_path, tmp_path / "ecg.csv", complete=30).rows

    wanted = {8: VAL, 9: CAL, 10: TEST}
    assert all(row.split == wanted.get(int(row.attributes["strat_fold"]), TRAIN) for row in rows)


def test_excluded_records_take_their_whole_patient_with_them(tmp_path):
    write_set(tmp_path, [*lines(20), line(5000, {"NORM": 1.0}, patient=1100)])

    rows = ecg.prepare(tmp_path, tmp_path / "ecg.csv", exclude=("1000",)).rows

    held = [row.id for row in rows if row.split == HELD_OUT]
    assert held == ["1000", "5000"]
    assert all(row.attributes["fold"] == "" for row in rows if row.split == HELD_OUT)


def test_a_record_that_cannot_be_read_stops_the_preparation(tmp_path):
    write_set(tmp_path, lines(8))
    (tmp_path / "records100/00000/01003_lr.dat").write_bytes(b"short")

    with pytest.raises(BadData, match="01003_lr"):
        ecg.prepare(tmp_path, tmp_path / "ecg.csv")


def test_a_folder_without_the_set_is_refused(tmp_path):
    with pytest.raises(BadData):
        ecg.prepare(tmp_path, tmp_path / "ecg.csv")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the optional PTB-XL sample is not there")
def test_the_given_records_have_the_published_superclasses(tmp_path):
    manifest = ecg.prepare(SHARED, tmp_path / "ecg.csv")
    published = {}
    for file in (SHARED / "labels_all").glob("ptbxl_*.csv"):
        with file.open(newline="") as stream:
            for row in csv.DictReader(stream):
                names = [code for code in ("NORM", "MI", "STTC", "CD", "HYP") if row[code] == "1"]
                published[row["ecg_id"]] = ";".join(names)

    assert len(manifest.rows) == 477 and manifest.meta["without_superclass"] == 11
    assert all(row.label == published[row.id] for row in manifest.rows)
    assert len({row.attributes["fold"] for row in manifest.rows} - {""}) == 5
    assert np.mean([row.split == TRAIN for row in manifest.rows]) > 0.7
