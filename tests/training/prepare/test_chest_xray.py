import shutil
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from training.manifest import BadManifest, read_manifest
from training.prepare.chest_xray import MODALITY, prepare
from training.prepare.leaks import check_manifest
from training.prepare.scan import BadData

SHARED = Path(__file__).parents[4] / "shared" / "data" / "chest"


@pytest.fixture
def kermany(draw, tmp_path) -> Path:
    """Twenty patients of each class in train (two films each), one film of each in test."""
    root = tmp_path / "chest_xray"
    for number in range(20):
        for view in (1, 2):
            seed = 1000 + 10 * number + view
            name = f"IM-{number + 200:04}-000{view}.jpeg"
            draw(root / "train" / "NORMAL" / name, seed)
            kind = "bacteria" if number % 2 else "virus"
            name = f"person{number + 50}_{kind}_{number * 2 + view}.jpeg"
            draw(root / "train" / "PNEUMONIA" / name, seed + 5000)
    draw(root / "test" / "NORMAL" / "NORMAL2-IM-0009-0001-0002.jpeg", 1)
    draw(root / "test" / "PNEUMONIA" / "person1_virus_6.jpeg", 2)
    (root / "train" / "NORMAL" / ".DS_Store").write_bytes(b"x")
    return root


def _by_id(manifest):
    return {row.id.rsplit("/", 1)[-1]: row for row in manifest.rows}


def test_the_published_layout_becomes_a_manifest_that_reads_back_clean(kermany, tmp_path):
    prepare(kermany, tmp_path / "m.csv")

    manifest = read_manifest(tmp_path / "m.csv", MODALITY)
    check_manifest(manifest)
    assert len(manifest.rows) == 82
    assert {row.split for row in manifest.rows} == {"train", "val", "cal", "test"}
    assert manifest.meta["near_duplicates"]["phash_max"] == 4


def test_patients_are_read_from_the_names(kermany, tmp_path):
    rows = _by_id(prepare(kermany, tmp_path / "m.csv"))

    assert rows["IM-0203-0002.jpeg"].group == "IM-0203"
    assert rows["NORMAL2-IM-0009-0001-0002.jpeg"].group == "NORMAL2-IM-0009"
    assert rows["person51_bacteria_3.jpeg"].group == "person51_bacteria"
    assert rows["person51_bacteria_3.jpeg"].attributes["subtype"] == "bacteria"
    assert rows["IM-0203-0002.jpeg"].attributes["subtype"] == "normal"


def test_the_same_seed_gives_the_same_file_and_another_one_does_not(kermany, tmp_path):
    first, again, other = (
        prepare(kermany, tmp_path / name, seed=seed)
        for name, seed in (("a.csv", 1), ("b.csv", 1), ("c.csv", 2))
    )

    assert first.sha256 == again.sha256
    assert first.sha256 != other.sha256


def test_the_official_test_folder_is_the_test_part_and_has_no_shift_score(kermany, tmp_path):
    rows = prepare(kermany, tmp_path / "m.csv").rows

    assert {row.id for row in rows if row.split == "test"} == {
        "test/NORMAL/NORMAL2-IM-0009-0001-0002.jpeg",
        "test/PNEUMONIA/person1_virus_6.jpeg",
    }
    assert all((row.attributes["shift"] == "") == (row.split == "test") for row in rows)


def test_the_sixteen_films_of_the_val_folder_join_the_pool(kermany, draw, tmp_path):
    draw(kermany / "val" / "NORMAL" / "NORMAL2-IM-1427-0001.jpeg", 77)

    row = _by_id(prepare(kermany, tmp_path / "m.csv"))["NORMAL2-IM-1427-0001.jpeg"]

    assert row.split in ("train", "val", "cal")


def test_a_copy_of_a_test_film_in_train_is_unused_and_the_test_keeps_its_own(kermany, tmp_path):
    film = kermany / "test" / "NORMAL" / "NORMAL2-IM-0009-0001-0002.jpeg"
    with Image.open(film) as image:
        image.save(kermany / "train" / "NORMAL" / "IM-0300-0001.jpeg", quality=60)

    rows = _by_id(prepare(kermany, tmp_path / "m.csv"))

    assert rows["IM-0300-0001.jpeg"].split == "unused"
    assert rows["NORMAL2-IM-0009-0001-0002.jpeg"].split == "test"


def test_the_same_bytes_as_a_test_film_are_unused_too(kermany, tmp_path):
    train = kermany / "train" / "PNEUMONIA"
    shutil.copy(
        kermany / "test" / "PNEUMONIA" / "person1_virus_6.jpeg", train / "person99_virus_1.jpeg"
    )

    rows = _by_id(prepare(kermany, tmp_path / "m.csv"))

    assert rows["person99_virus_1.jpeg"].split == "unused"


def test_patients_who_share_a_film_are_one_group(kermany, tmp_path):
    train = kermany / "train" / "NORMAL"
    shutil.copy(train / "IM-0203-0001.jpeg", train / "IM-0301-0001.jpeg")

    rows = _by_id(prepare(kermany, tmp_path / "m.csv"))

    assert rows["IM-0301-0001.jpeg"].group == rows["IM-0203-0002.jpeg"].group == "IM-0203"


def test_excluded_patients_stay_out_of_every_training_part(kermany, draw, tmp_path):
    draw(kermany / "train" / "NORMAL" / "IM-0117-0001.jpeg", 9)

    rows = prepare(kermany, tmp_path / "m.csv", exclude=["IM-0203"]).rows

    held_out = {row.group for row in rows if row.split == "held_out"}
    assert held_out == {"IM-0117", "IM-0203"}


@pytest.mark.parametrize("name", ["film.jpeg", "personX_virus_1.jpeg"])
def test_a_film_without_a_patient_in_its_name_is_refused(kermany, draw, tmp_path, name):
    draw(kermany / "train" / "NORMAL" / name, 3)

    with pytest.raises(BadData, match="states no patient"):
        prepare(kermany, tmp_path / "m.csv")


def test_another_layout_and_a_damaged_film_are_refused_by_name(kermany, tmp_path):
    (tmp_path / "empty" / "train").mkdir(parents=True)
    with pytest.raises(BadData, match="not the published layout"):
        prepare(tmp_path / "nowhere", tmp_path / "m.csv")
    with pytest.raises(BadData, match="holds no films"):
        prepare(tmp_path / "empty", tmp_path / "m.csv")

    (kermany / "train" / "NORMAL" / "IM-0900-0001.jpeg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(BadManifest, match=r"IM-0900-0001\.jpeg: is not a readable image"):
        prepare(kermany, tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()


@pytest.mark.slow
def test_the_real_set_is_divided_by_patient(tmp_path):
    if not SHARED.is_dir():
        pytest.skip("the Kermany set is not at ../shared/data/chest")

    manifest = prepare(SHARED, tmp_path / "m.csv")

    counts = Counter((row.split, row.label) for row in manifest.rows)
    assert (counts["test", "NORMAL"], counts["test", "PNEUMONIA"]) == (234, 390)
    assert len(manifest.rows) == 5840
    assert len(manifest.part("val")) == pytest.approx(0.15 * 5195, abs=5)
    assert len(manifest.part("cal")) == pytest.approx(0.10 * 5195, abs=5)
    assert {row.group for row in manifest.part("held_out")} == set(manifest.meta["held_out"])
