import hashlib
from pathlib import Path

import pytest

from gateway.upload import pack_record
from training.feedback import write_feedback_manifest
from training.manifest import BadManifest, read_manifest

HEADER = "input_sha256,modality,given_label,corrected_label,uncertainty,comment_code\n"


def _file(folder: Path, name: str) -> str:
    folder.mkdir(exist_ok=True)
    payload = f"the bytes of {name}".encode()
    (folder / name).write_bytes(payload)
    return hashlib.sha256(payload).hexdigest()


def _export(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "export.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def test_corrected_cases_are_found_by_hash_wherever_they_lie(tmp_path):
    digest = _file(tmp_path / "site", "film.png")
    export = _export(tmp_path, f"{digest},chest-xray,NORMAL,PNEUMONIA,0.1,missed")

    result = write_feedback_manifest(export, tmp_path, tmp_path / "out.csv")
    (row,) = read_manifest(tmp_path / "out.csv", "chest-xray").rows

    assert (result.corrected, result.uncertain, result.missing) == (1, 0, 0)
    assert row.path == (tmp_path / "site" / "film.png").resolve()
    assert (row.label, row.split, row.sha256) == ("PNEUMONIA", "train", digest)
    assert row.attributes["reason"] == "corrected"
    assert row.attributes["comment_code"] == "missed"


def test_of_the_agreed_cases_the_most_uncertain_fifth_is_taken(tmp_path):
    digests = [_file(tmp_path / "site", f"{number}.png") for number in range(10)]
    lines = [f"{d},chest-xray,NORMAL,,{n / 10},agree" for n, d in enumerate(digests)]

    result = write_feedback_manifest(
        _export(tmp_path, *lines), tmp_path / "site", tmp_path / "out.csv"
    )
    rows = read_manifest(tmp_path / "out.csv").rows

    assert [row.sha256 for row in rows] == [digests[9], digests[8]]
    assert {row.attributes["reason"] for row in rows} == {"uncertain"}
    assert result.uncertain == 2


def test_what_cannot_be_used_is_counted_and_not_fatal(tmp_path):
    digest = _file(tmp_path / "site", "film.png")
    other = _file(tmp_path / "site", "other.png")
    export = _export(
        tmp_path,
        f"{digest},chest-xray,NORMAL,PNEUMONIA,0.5,",
        f"{'0' * 64},chest-xray,NORMAL,PNEUMONIA,0.5,",
        f"{'1' * 64},chest-xray,,,0.5,",
        f"{other},chest-xray,NORMAL,PNEUMONIA,0.5,",
        f"{other},chest-xray,PNEUMONIA,NORMAL,0.5,",
    )

    result = write_feedback_manifest(export, tmp_path / "site", tmp_path / "out.csv")

    assert (result.corrected, result.missing) == (1, 1)
    assert (result.unlabelled, result.contradictory) == (1, 1)
    assert "1 without a file, 1 without a label, 1 corrected in two ways" in str(result)


def test_a_correction_outweighs_an_agreement_on_the_same_input(tmp_path):
    digest = _file(tmp_path / "site", "film.png")
    export = _export(
        tmp_path,
        f"{digest},chest-xray,NORMAL,,0.9,agree",
        f"{digest},chest-xray,NORMAL,PNEUMONIA,0.1,",
    )

    write_feedback_manifest(export, tmp_path / "site", tmp_path / "out.csv")
    (row,) = read_manifest(tmp_path / "out.csv").rows

    assert row.label == "PNEUMONIA"


def test_each_modality_gets_its_own_manifest(tmp_path):
    film, lesion = (_file(tmp_path / "site", name) for name in ("film.png", "lesion.png"))
    export = _export(
        tmp_path,
        f"{film},chest-xray,NORMAL,PNEUMONIA,0.5,",
        f"{lesion},skin-lesion,nv,mel,0.5,",
    )

    result = write_feedback_manifest(export, tmp_path / "site", tmp_path / "out.csv")

    assert [path.name for path in result.written] == ["out-chest-xray.csv", "out-skin-lesion.csv"]
    assert read_manifest(tmp_path / "out-skin-lesion.csv").rows[0].label == "mel"


def test_a_record_of_two_files_is_found_by_the_zip_that_the_gateway_packs(tmp_path):
    _file(tmp_path / "site", "r1.hea")
    _file(tmp_path / "site", "r1.dat")
    packed = pack_record(b"the bytes of r1.hea", b"the bytes of r1.dat")
    digest = hashlib.sha256(packed).hexdigest()
    export = _export(tmp_path, f"{digest},ecg,NORM,MI;STTC,0.5,")

    write_feedback_manifest(export, tmp_path / "site", tmp_path / "out.csv")
    (row,) = read_manifest(tmp_path / "out.csv", "ecg").rows

    assert (row.path.name, row.labels) == ("r1.hea", ("MI", "STTC"))


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("abc,chest-xray,NORMAL,PNEUMONIA,0.5,", "line 2, column input_sha256"),
        (f"{'0' * 64},mri,NORMAL,PNEUMONIA,0.5,", "line 2, column modality"),
        (f"{'0' * 64},chest-xray,NORMAL,nv,0.5,", "line 2, column corrected_label: 'nv'"),
        (f"{'0' * 64},chest-xray,x,NORMAL,0.5,", "line 2, column given_label: 'x'"),
        (f"{'0' * 64},chest-xray,NORMAL,PNEUMONIA,much,", "line 2, column uncertainty"),
        (f"{'0' * 64},chest-xray,NORMAL,PNEUMONIA,nan,", "line 2, column uncertainty"),
        (f"{'0' * 64},chest-xray,NORMAL,PNEUMONIA,0.5,", "holds none of the 1 chosen inputs"),
    ],
)
def test_a_damaged_export_is_named_with_line_and_column(tmp_path, line, complaint):
    (tmp_path / "site").mkdir()

    with pytest.raises(BadManifest) as raised:
        write_feedback_manifest(_export(tmp_path, line), tmp_path / "site", tmp_path / "out.csv")

    assert complaint in str(raised.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_file_of_another_kind_or_none_is_refused(tmp_path):
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00")

    for name, complaint in (
        ("other.csv", "line 1: the column 'input_sha256' is missing"),
        ("binary.csv", "is no CSV in UTF-8"),
        ("none.csv", "cannot be read"),
    ):
        with pytest.raises(BadManifest, match=complaint):
            write_feedback_manifest(tmp_path / name, tmp_path, tmp_path / "out.csv")
    with pytest.raises(BadManifest, match="is no folder"):
        write_feedback_manifest(tmp_path / "other.csv", tmp_path / "gone", tmp_path / "out.csv")
