import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.manifest import BadManifest, Manifest, Row, file_sha256
from training.prepare.fingerprint import DuplicateRule, open_grey, perceptual_hash
from training.prepare.leaks import LeakFound, check_manifest, find_near_duplicates


def _texture(path: Path, seed: int) -> Path:
    blocks = np.random.default_rng(seed).integers(20, 220, (8, 8), dtype=np.uint8)
    Image.fromarray(blocks).resize((64, 64), Image.Resampling.BICUBIC).save(path)
    return path


def _row(path: Path, split: str, **fields) -> Row:
    row = Row(path.stem, path, "NORMAL", split, path.stem, file_sha256(path), {})
    return replace(row, **fields)


@pytest.fixture
def rows(tmp_path) -> list[Row]:
    splits = ["train", "train", "val", "cal", "test"]
    return [_row(_texture(tmp_path / f"i{n}.png", n), split) for n, split in enumerate(splits)]


def _manifest(rows: list[Row], **meta) -> Manifest:
    return Manifest("chest-xray", tuple(rows), meta)


def test_a_clean_manifest_passes(rows):
    check_manifest(_manifest(rows))


def test_a_patient_in_two_parts_is_refused_by_name(rows):
    rows[4] = replace(rows[4], group=rows[0].group)

    with pytest.raises(LeakFound, match="A group stands in two parts") as raised:
        check_manifest(_manifest(rows))

    assert raised.value.pairs == (("i0", "i4"),)
    assert "i0 (train, NORMAL) and i4 (test, NORMAL)" in str(raised.value)


def test_the_same_bytes_in_two_parts_are_refused_by_name(rows, tmp_path):
    rows.append(_row(Path(shutil.copy(rows[1].path, tmp_path / "copy.png")), "val"))

    with pytest.raises(LeakFound, match="same bytes stand in two parts") as raised:
        check_manifest(_manifest(rows))

    assert raised.value.pairs == (("i1", "copy"),)


def test_the_same_bytes_under_two_labels_are_refused_in_one_part_too(rows, tmp_path):
    copy = Path(shutil.copy(rows[0].path, tmp_path / "copy.png"))
    rows.append(_row(copy, "train", label="PNEUMONIA"))

    with pytest.raises(LeakFound, match="two labels") as raised:
        check_manifest(_manifest(rows))

    assert raised.value.pairs == (("i0", "copy"),)


@pytest.mark.parametrize("with_hash", [True, False])
def test_a_re_encoded_copy_in_another_part_is_refused_by_name(rows, tmp_path, with_hash):
    with Image.open(rows[0].path) as image:
        image.point(lambda value: value * 0.95).save(tmp_path / "again.jpeg", quality=85)
    rows.append(_row(tmp_path / "again.jpeg", "test"))
    if with_hash:
        rows = [_with_hash(row) for row in rows]

    with pytest.raises(LeakFound, match="Near-duplicate images") as raised:
        check_manifest(_manifest(rows))

    assert raised.value.pairs == (("i0", "again"),)


def _with_hash(row: Row) -> Row:
    return replace(row, attributes={"phash": perceptual_hash(open_grey(row.path, "squash"))})


def test_a_shared_hash_alone_is_no_duplicate(rows):
    rows = [replace(row, attributes={"phash": "8129ca38e95979cf"}) for row in rows]

    check_manifest(_manifest(rows))


def test_the_threshold_of_the_manifest_decides(rows, tmp_path):
    with Image.open(rows[0].path) as image:
        image.save(tmp_path / "again.jpeg", quality=30)
    rows.append(_row(tmp_path / "again.jpeg", "test"))

    check_manifest(_manifest(rows, near_duplicates={"correlation": 0.99999999}))
    with pytest.raises(LeakFound):
        check_manifest(_manifest(rows, near_duplicates={"correlation": 0.9}))


def test_parts_that_are_not_trained_on_may_hold_copies(rows, tmp_path):
    for split in ("unused", "held_out"):
        copy = Path(shutil.copy(rows[0].path, tmp_path / f"{split}.png"))
        rows.append(_row(copy, split, group=rows[0].group))

    check_manifest(_manifest(rows))


def test_ten_pairs_are_named_and_the_rest_counted(rows, tmp_path):
    for number in range(12):
        path = _texture(tmp_path / f"a{number}.png", 100 + number)
        rows.append(_row(path, "train", group=f"g{number}"))
        path = _texture(tmp_path / f"b{number}.png", 200 + number)
        rows.append(_row(path, "val", group=f"g{number}"))

    with pytest.raises(LeakFound, match="and 2 more pairs") as raised:
        check_manifest(_manifest(rows))

    assert len(raised.value.pairs) == 12


def test_a_changed_or_missing_file_is_named(rows):
    changed = [replace(rows[0], sha256="00" * 32), *rows[1:]]
    missing = [replace(rows[0], path=rows[0].path.with_name("gone.png")), *rows[1:]]

    with pytest.raises(BadManifest, match=r"i0: .*is not the file that the manifest names"):
        check_manifest(_manifest(changed))
    with pytest.raises(BadManifest, match=r"i0: .*gone\.png cannot be read"):
        check_manifest(_manifest(missing))


@pytest.mark.parametrize("text", ["xyz", "1" * 17, "-1"])
def test_an_impossible_hash_is_named_with_its_column(rows, text):
    rows[0] = replace(rows[0], attributes={"phash": text})

    with pytest.raises(BadManifest, match="i0, column phash"):
        check_manifest(_manifest(rows))


@pytest.mark.parametrize(
    "rule", [{"phash_max": 65}, {"correlation": 1.0}, {"fit": "pad"}, {"other": 1}, 5]
)
def test_an_unusable_rule_in_the_metadata_is_refused(rows, rule):
    with pytest.raises(BadManifest, match="near_duplicates"):
        check_manifest(_manifest(rows, near_duplicates=rule))


def test_records_that_are_no_images_are_compared_by_bytes_only(tmp_path):
    for name in ("a", "b"):
        (tmp_path / f"{name}.hea").write_text(f"{name} 12 100 1000\n")
    rows = [_row(tmp_path / "a.hea", "train"), _row(tmp_path / "b.hea", "test")]

    check_manifest(Manifest("ecg", tuple(replace(row, label="NORM") for row in rows)))


def test_an_image_that_cannot_be_decoded_is_named(rows, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    rows.append(_row(tmp_path / "broken.png", "train"))

    with pytest.raises(BadManifest, match=r"broken\.png: is not a readable image"):
        check_manifest(_manifest(rows))


def test_the_centre_of_a_wide_picture_meets_its_square_crop(tmp_path):
    noise = np.random.default_rng(5).integers(20, 220, (6, 8), dtype=np.uint8)
    wide = Image.fromarray(noise).resize((128, 96), Image.Resampling.BICUBIC)
    wide.save(tmp_path / "wide.png")
    wide.crop((16, 0, 112, 96)).resize((64, 64)).save(tmp_path / "square.png")
    rows = [_row(tmp_path / "wide.png", "train"), _row(tmp_path / "square.png", "test")]

    found = {
        fit: find_near_duplicates(rows, DuplicateRule(fit=fit)) for fit in ("squash", "center_crop")
    }

    assert found["squash"] == []
    assert [(one.id, other.id) for one, other in found["center_crop"]] == [("wide", "square")]
