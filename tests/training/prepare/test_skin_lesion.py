import csv
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from training.manifest import read_manifest
from training.prepare.leaks import check_manifest
from training.prepare.scan import BadData
from training.prepare.skin_lesion import MODALITY, prepare

SHARED = Path(__file__).parents[4] / "shared" / "data" / "skin"
COLUMNS = ["lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"]


def _write_table(root: Path, rows: list[tuple[str, str, str]], name: str = "metadata.csv") -> None:
    with (root / name).open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for lesion, image, label in rows:
            writer.writerow([lesion, image, label, "histo", "55.0", "female", "back"])


@pytest.fixture
def published(draw, tmp_path) -> Path:
    """Forty lesions of two classes in the two published folders, two views of every fourth."""
    root = tmp_path / "ham"
    rows = []
    for number in range(40):
        for view in range(2 if number % 4 == 0 else 1):
            image = f"ISIC_{number:04}{view}"
            draw(
                root / f"HAM10000_images_part_{1 + number % 2}" / f"{image}.jpg", 10 * number + view
            )
            rows.append((f"HAM_{number}", image, "mel" if number % 2 else "nv"))
    _write_table(root, rows, "HAM10000_metadata.csv")
    return root


@pytest.fixture
def copies(draw, tmp_path) -> Path:
    """Thirty lesions as 64-pixel crops, each with a small further view; two lesions only small."""
    root = tmp_path / "skin"
    rows = []
    for number in range(30):
        rows.append((f"L{number}", f"A{number}", "mel" if number % 2 else "nv"))
        draw(root / "crops224" / f"A{number}.jpg", 10 * number)
        rows.append((f"L{number}", f"B{number}", rows[-1][2]))
        draw(root / "full200x150" / f"B{number}.jpg", 10 * number + 1, size=(56, 42))
        draw(root / "masks" / f"A{number}_segmentation.png", 7)
    for name, label in (("rare", "mel"), ("common", "nv")):
        rows.append((f"only_{name}", name, label))
        draw(root / "full200x150" / f"{name}.jpg", 999 + len(name), size=(56, 42))
    _write_table(root, rows)
    return root


def _by_id(manifest):
    return {row.id: row for row in manifest.rows}


def test_the_published_layout_becomes_a_manifest_that_reads_back_clean(published, tmp_path):
    prepare(published, tmp_path / "m.csv")

    manifest = read_manifest(tmp_path / "m.csv", MODALITY)
    check_manifest(manifest)
    assert len(manifest.rows) == 50
    assert {row.split for row in manifest.rows} == {"train", "val", "cal", "test"}


def test_the_views_of_a_lesion_share_its_part_and_the_table_is_carried_over(published, tmp_path):
    rows = _by_id(prepare(published, tmp_path / "m.csv"))

    for number in range(0, 40, 4):
        assert rows[f"ISIC_{number:04}0"].split == rows[f"ISIC_{number:04}1"].split
    attributes = rows["ISIC_00000"].attributes
    assert (attributes["age"], attributes["sex"]) == ("55", "female")
    assert (attributes["localization"], attributes["dx_type"]) == ("back", "histo")
    assert attributes["view"] == "HAM10000_images_part_1"


def test_low_resolution_views_join_train_only_with_their_lesion(copies, tmp_path):
    rows = _by_id(prepare(copies, tmp_path / "m.csv"))

    expected = {"train": "train", "val": "unused", "cal": "unused", "test": "unused"}
    for number in range(30):
        assert rows[f"B{number}"].split == expected[rows[f"A{number}"].split]
    assert {rows[f"A{number}"].split for number in range(30)} == set(expected)


def test_lesions_seen_only_in_low_resolution_train_the_rare_classes(copies, tmp_path):
    rows = _by_id(prepare(copies, tmp_path / "m.csv"))

    assert (rows["rare"].split, rows["common"].split) == ("train", "lowres")
    assert rows["rare"].attributes["view"] == "full200x150"


def test_the_mask_is_found_from_the_image(copies, tmp_path):
    row = _by_id(prepare(copies, tmp_path / "m.csv"))["A3"]

    mask = (row.path.parent / row.attributes["mask"]).resolve()
    assert mask == (copies / "masks" / "A3_segmentation.png").resolve()
    assert "A3_segmentation" not in {found.id for found in read_manifest(tmp_path / "m.csv").rows}


def test_lesions_that_share_a_picture_are_one_group(copies, tmp_path):
    with Image.open(copies / "crops224" / "A4.jpg") as image:
        image.save(copies / "crops224" / "A6.jpg", quality=70)

    rows = _by_id(prepare(copies, tmp_path / "m.csv"))

    assert rows["A4"].group == rows["A6"].group == rows["B6"].group == "L4"


def test_excluded_lesions_stay_out_of_every_training_part(copies, tmp_path):
    rows = _by_id(prepare(copies, tmp_path / "m.csv", exclude=["L5"]))

    assert (rows["A5"].split, rows["B5"].split) == ("held_out", "held_out")


def test_another_layout_is_refused_by_name(copies, tmp_path):
    with pytest.raises(BadData, match=r"holds no HAM10000_metadata\.csv"):
        prepare(tmp_path, tmp_path / "m.csv")

    (copies / "metadata.csv").write_text("lesion_id,image_id\n")
    with pytest.raises(BadData, match="the column 'age' is missing"):
        prepare(copies, tmp_path / "m.csv")

    _write_table(copies, [("L0", "elsewhere", "nv")])
    with pytest.raises(BadData, match="holds no image that the metadata name"):
        prepare(copies, tmp_path / "m.csv")

    _write_table(copies, [("L0", "A0", "wart")])
    with pytest.raises(BadData, match="A0: the class 'wart'"):
        prepare(copies, tmp_path / "m.csv")


@pytest.mark.slow
def test_the_real_set_is_divided_by_lesion(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the HAM10000 copies are not at ../shared/data/skin")

    manifest = prepare(SHARED, tmp_path / "m.csv")

    views = Counter((row.split, row.attributes["view"]) for row in manifest.rows)
    assert len(manifest.rows) == 10_015
    assert views["test", "crops224"] == pytest.approx(0.15 * 5977, abs=7)
    assert {split for split, view in views if view == "full200x150"} == {
        "train", "unused", "lowres", "held_out",
    }  # fmt: skip
