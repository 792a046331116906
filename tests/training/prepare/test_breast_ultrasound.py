import shutil
from pathlib import Path

import pytest
from PIL import Image

from training.manifest import read_manifest
from training.prepare.breast_ultrasound import MODALITY, prepare
from training.prepare.leaks import check_manifest
from training.prepare.scan import BadData

SHARED = Path(__file__).parents[4] / "shared" / "data" / "breast"
CLASSES = ("normal", "benign", "malignant")


@pytest.fixture
def busi(draw, tmp_path) -> Path:
    """Twenty images of each class with masks; the first two of each are near-duplicates."""
    root = tmp_path / "busi" / "Dataset_BUSI_with_GT"
    for offset, label in enumerate(CLASSES):
        for number in range(1, 21):
            name = f"{label} ({number})"
            seed = 1000 * offset + max(number, 2)
            draw(root / label / f"{name}.png", seed, level=int(number == 1), size=(96, 64))
            draw(root / label / f"{name}_mask.png", 7)
    return tmp_path / "busi"


def _by_id(manifest):
    return {row.id: row for row in manifest.rows}


def test_the_published_layout_becomes_a_manifest_that_reads_back_clean(busi, tmp_path):
    prepare(busi, tmp_path / "m.csv")

    manifest = read_manifest(tmp_path / "m.csv", MODALITY)
    check_manifest(manifest)
    assert len(manifest.rows) == 60
    splits = {row.split for row in manifest.rows}
    assert splits == {"train", "val", "cal", "held_out"}
    assert manifest.meta["group_correlation"] == 0.95


def test_near_duplicates_are_one_group_and_masks_are_no_images(busi, tmp_path):
    rows = _by_id(prepare(busi, tmp_path / "m.csv"))

    one, two = rows["benign/benign (1).png"], rows["benign/benign (2).png"]
    assert one.group == two.group == "benign/benign (1).png"
    assert one.sha256 != two.sha256
    assert one.attributes["mask"] == "benign (1)_mask.png"
    assert (one.attributes["original_width"], one.attributes["original_height"]) == ("96", "64")


def test_the_folds_divide_everything_that_may_be_trained_on_by_group(busi, tmp_path):
    rows = prepare(busi, tmp_path / "m.csv").rows

    fold_of_group = {}
    for row in rows:
        fold = row.attributes["fold"]
        assert (fold == "") == (row.split in ("held_out", "unused"))
        assert fold_of_group.setdefault(row.group, fold) == fold
    assert set(fold_of_group.values()) - {""} == {f"fold{number}" for number in range(5)}


def test_the_same_picture_under_two_classes_is_dropped_on_both_sides(busi, tmp_path):
    root = busi / "Dataset_BUSI_with_GT"
    shutil.copy(root / "benign" / "benign (9).png", root / "malignant" / "malignant (9).png")
    with Image.open(root / "normal" / "normal (9).png") as image:
        image.point(lambda value: value * 0.97).save(root / "benign" / "benign (10).png")

    rows = _by_id(prepare(busi, tmp_path / "m.csv"))

    assert {row.id for row in rows.values() if row.split == "unused"} == {
        "benign/benign (9).png",
        "malignant/malignant (9).png",
        "normal/normal (9).png",
        "benign/benign (10).png",
    }


def test_the_whole_group_of_an_excluded_image_stays_out(busi, tmp_path):
    rows = _by_id(prepare(busi, tmp_path / "m.csv", exclude=["benign (2)"]))

    assert rows["benign/benign (1).png"].split == "held_out"
    assert rows["malignant/malignant (6).png"].split == "held_out"


def test_given_groups_and_sizes_are_taken_as_they_are(busi, tmp_path):
    root = busi / "Dataset_BUSI_with_GT"
    lines = [
        f"{label}/{label} ({number}).png,{label},{label}{number // 4},500,400"
        for label in CLASSES
        for number in range(1, 21)
    ]
    header = "file,label,group,original_width,original_height"
    (root / "groups.csv").write_text("\n".join([header, *lines]) + "\n")

    rows = _by_id(prepare(root, tmp_path / "m.csv"))

    four = {rows[f"normal/normal ({number}).png"].group for number in range(4, 8)}
    assert len(four) == 1
    assert rows["normal/normal (4).png"].attributes["original_width"] == "500"

    (root / "groups.csv").write_text("\n".join([header, *lines[1:]]) + "\n")
    with pytest.raises(BadData, match=r"normal \(1\)\.png' is missing"):
        prepare(root, tmp_path / "m.csv")


def test_another_layout_is_refused_by_name(busi, tmp_path):
    shutil.rmtree(busi / "Dataset_BUSI_with_GT" / "benign")

    with pytest.raises(BadData, match="holds no folder 'benign'"):
        prepare(busi, tmp_path / "m.csv")
    with pytest.raises(BadData, match="not the published layout"):
        prepare(tmp_path / "nowhere", tmp_path / "m.csv")


def test_the_real_set_keeps_its_groups(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the BUSI copy is not at ../shared/data/breast")

    manifest = prepare(SHARED, tmp_path / "m.csv")

    assert len(manifest.rows) == 633
    assert len({row.group for row in manifest.rows}) == 484
    assert manifest.part("test") == ()
    assert all((row.path.parent / row.attributes["mask"]).is_file() for row in manifest.rows)
