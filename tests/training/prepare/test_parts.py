"""The steps that the prepare scripts share: groups, division, shift, held-out ids, summary."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from training.manifest import BadManifest, Manifest, Row
from training.prepare.division import divide
from training.prepare.groups import connected, links_of_equal
from training.prepare.held_out import held_out_ids
from training.prepare.scan import scan_image
from training.prepare.shift import shift_scores
from training.prepare.summary import PUBLISHED, summarise


def test_names_connected_through_others_become_one_group():
    groups = connected(["d", "c", "b", "a", "x"], [("d", "c"), ("b", "a"), ("c", "b")])

    assert groups == {"a": "a", "b": "a", "c": "a", "d": "a", "x": "x"}


def test_equal_properties_make_links_and_a_name_never_links_to_itself():
    links = links_of_equal(["a", "b", "a", "c"], [1, 2, 1, 1])

    assert links == [("a", "c")]


def test_every_part_gets_its_share_of_every_label_and_no_group_is_split():
    groups = [f"g{number // 2}" for number in range(1000)]
    labels = ["rare" if number < 200 else "common" for number in range(1000)]

    part_of = divide(groups, labels, {"val": 0.15, "cal": 0.1, "test": 0.2}, seed=0)

    counts = Counter((part_of[g], label) for g, label in zip(groups, labels, strict=True))
    assert counts["val", "rare"] == pytest.approx(30, abs=2)
    assert counts["val", "common"] == pytest.approx(120, abs=2)
    assert counts["cal", "common"] == pytest.approx(80, abs=2)
    assert counts["test", "rare"] == pytest.approx(40, abs=2)
    assert sum(counts.values()) == 1000


def test_the_same_seed_divides_alike_and_another_one_differently():
    groups, labels = [f"g{number}" for number in range(100)], ["x"] * 100

    first, again, other = (divide(groups, labels, {"val": 0.5}, seed=seed) for seed in (1, 1, 2))

    assert first == again
    assert first != other


def test_half_of_a_part_is_drawn_from_the_hard_third():
    groups, labels = [f"g{number:03}" for number in range(300)], ["x"] * 300
    hard = {group: number / 300 for number, group in enumerate(groups)}

    part_of = divide(groups, labels, {"val": 0.2}, seed=0, hard=hard)

    chosen = [hard[group] for group, part in part_of.items() if part == "val"]
    assert len(chosen) == 60
    assert sum(score >= 2 / 3 for score in chosen) >= 30
    assert sum(score < 2 / 3 for score in chosen) >= 10


def test_a_group_larger_than_what_is_missing_stays_in_train():
    part_of = divide(["big"] * 50 + ["a", "b"], ["x"] * 52, {"val": 0.05}, seed=0)

    assert part_of["big"] == "train"


def test_an_image_that_contradicts_its_label_scores_highest(draw, tmp_path):
    generator = np.random.default_rng(0)
    scans, labels = [], []
    for number in range(40):
        label = "dark" if number % 2 else "light"
        looks = label if number else "dark"
        base = 1 if looks == "dark" else 2
        level = int(generator.integers(0, 20))
        scans.append(scan_image(draw(tmp_path / f"{number}.png", base, level=level), "squash"))
        labels.append(label)

    scores = shift_scores(scans, labels, [str(number) for number in range(40)])

    assert max(range(40), key=lambda n: (labels[n] == "light", scores[n])) == 0
    assert all(0 < score <= 1 for score in scores)


def test_a_set_with_fewer_groups_than_folds_is_scored_too(draw, tmp_path):
    scans = [scan_image(draw(tmp_path / f"{n}.png", n), "squash") for n in range(4)]

    scores = shift_scores(scans, ["x", "x", "y", "y"], ["a", "a", "b", "b"])

    assert sorted(scores) == [0.5, 0.5, 1.0, 1.0]


def test_the_committed_list_names_ids_of_the_asked_modality_only():
    chest, skin = held_out_ids("chest-xray"), held_out_ids("skin-lesion", ["HAM_1"])

    assert "person1446_bacteria" in chest
    assert "HAM_1" in skin
    assert not chest & skin


@pytest.mark.parametrize("text", ["id\nx\n", "modality,id\nchest-xray\n", ""])
def test_a_damaged_list_of_held_out_ids_is_named_with_its_line(tmp_path, text):
    file = tmp_path / "held_out.csv"
    file.write_text(text)

    with pytest.raises(BadManifest, match=r"held_out\.csv, line"):
        held_out_ids("chest-xray", file=file)


def test_the_summary_counts_images_and_groups_of_each_part():
    rows = tuple(
        Row(str(n), Path("x"), "NORMAL" if n else "PNEUMONIA", "train", f"g{n // 2}")
        for n in range(4)
    )

    lines = summarise(Manifest("chest-xray", rows)).splitlines()

    assert lines[0].split() == ["part", "NORMAL", "PNEUMONIA", "images", "groups"]
    assert lines[1].split() == ["train", "3", "1", "4", "2"]
    assert lines[2].endswith("NORMAL 3 of 1583, PNEUMONIA 1 of 4273.")


def test_the_summary_says_when_a_set_is_as_published():
    rows = tuple(
        Row(f"{label}{n}", Path("x"), label, "train", "g")
        for label, count in PUBLISHED["breast-ultrasound"].items()
        for n in range(count)
    )

    assert summarise(Manifest("breast-ultrasound", rows)).endswith("those of the published set.")
    assert summarise(Manifest("ecg", rows[:3])).endswith("3 images.")
