import hashlib
from pathlib import Path

import pytest

from training.manifest import BadManifest, Manifest, Row, read_manifest, write_manifest


def _row(folder: Path, name: str, **fields) -> Row:
    return Row(
        id=name,
        path=(folder / f"{name}.png").resolve(),
        label=fields.pop("label", "NORMAL"),
        split=fields.pop("split", "train"),
        group=fields.pop("group", name),
        sha256=fields.pop("sha256", "ab" * 32),
        attributes=fields,
    )


def test_what_was_written_is_read_back_equal(tmp_path):
    rows = (_row(tmp_path, "a", shift="0.5"), _row(tmp_path / "b", "ü, 2", shift="", split="val"))

    written = write_manifest(tmp_path / "m.csv", Manifest("chest-xray", rows, {"seed": 7}))
    found = read_manifest(tmp_path / "m.csv", "chest-xray")

    assert found == written
    assert found.rows == rows
    assert found.meta == {"seed": 7, "modality": "chest-xray"}


def test_the_digest_is_that_of_the_file(tmp_path):
    path = tmp_path / "m.csv"

    written = write_manifest(path, Manifest("chest-xray", (_row(tmp_path, "a"),)))

    assert written.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_paths_are_stored_relative_to_the_manifest(tmp_path):
    path = tmp_path / "runs" / "m.csv"

    write_manifest(path, Manifest("chest-xray", (_row(tmp_path / "data", "a"),)))

    assert "a,../data/a.png,NORMAL" in path.read_text()


def test_a_minimal_list_of_paths_and_labels_is_a_manifest_of_the_test_part(tmp_path):
    (tmp_path / "m.csv").write_text("path,label\nx/film.png,PNEUMONIA\n")

    (row,) = read_manifest(tmp_path / "m.csv", "chest-xray").rows

    assert (row.id, row.group, row.split) == ("x/film.png", "x/film.png", "test")
    assert row.path == (tmp_path / "x" / "film.png").resolve()


def test_several_labels_of_one_input_are_split(tmp_path):
    (tmp_path / "m.csv").write_text("path,label\na.hea,MI;STTC\nb.hea,\n")

    manifest = read_manifest(tmp_path / "m.csv", "ecg")

    assert [row.labels for row in manifest.rows] == [("MI", "STTC"), ()]
    assert manifest.labels == ("MI", "STTC")


def test_a_part_holds_its_rows_in_file_order(tmp_path):
    (tmp_path / "m.csv").write_text("id,path,label,split\n2,b,x,val\n1,a,x,train\n3,c,x,val\n")

    manifest = read_manifest(tmp_path / "m.csv")

    assert [row.id for row in manifest.part("val")] == ["2", "3"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("label\nNORMAL\n", "line 1: the column 'path' is missing"),
        ("path,path,label\na,b,NORMAL\n", "line 1: the column 'path' is there twice"),
        ("path,label\na.png,NORMAL\nb.png\n", "line 3: more or fewer cells"),
        ("path,label\na.png,NORMAL,1\n", "line 2: more or fewer cells"),
        ("path,label\n,NORMAL\n", "line 2, column path: is empty"),
        ("path,label\na.png,NORMA\n", "line 2, column label: 'NORMA' is none of NORMAL, PNEUMONIA"),
        ("# {}\nid,path,label\n1,a,NORMAL\n1,b,NORMAL\n", "line 4, column id: '1' is already on"),
        ('path,label\n"a"b,NORMAL\n', "line 2"),
        ("# {\npath,label\na,NORMAL\n", "line 1: the metadata is no JSON"),
        ("# 5\npath,label\na,NORMAL\n", "line 1: the metadata is no JSON object"),
        ('# {"modality": "ecg"}\npath,label\na,NORM\n', "is a manifest of ecg, not of chest-xray"),
        ("path,label\n", "holds no rows"),
        ("", "the column 'path' is missing"),
    ],
)
def test_a_fault_is_named_with_its_line_and_column(tmp_path, text, complaint):
    (tmp_path / "m.csv").write_text(text)

    with pytest.raises(BadManifest, match=r"m\.csv") as raised:
        read_manifest(tmp_path / "m.csv", "chest-xray")

    assert complaint in str(raised.value)


def test_an_unknown_modality_is_a_fault_of_the_manifest(tmp_path):
    (tmp_path / "m.csv").write_text('# {"modality": "mri"}\npath,label\na,x\n')

    with pytest.raises(BadManifest, match="unknown modality 'mri'"):
        read_manifest(tmp_path / "m.csv")


def test_a_missing_file_and_foreign_bytes_are_named(tmp_path):
    (tmp_path / "latin.csv").write_bytes(b"path,label\n\xff,NORMAL\n")

    with pytest.raises(BadManifest, match="cannot be read"):
        read_manifest(tmp_path / "none.csv")
    with pytest.raises(BadManifest, match="not UTF-8 at byte 11"):
        read_manifest(tmp_path / "latin.csv")
