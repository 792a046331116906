"""The matrix of wrong doors: every kind at every model, answered by the code that serves."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from PIL import Image

from training.manifest import Manifest, Row, write_manifest
from training.validity.doors import GENERATED, Visit, door_table, visit_all, write_kinds


@pytest.fixture
def sources(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(5):
        shade = np.full((64, 64, 3), 40 * index, dtype=np.uint8)
        Image.fromarray(shade).save(photos / f"{index}.png")
    (photos / "notes.txt").write_text("no picture")
    rows = [
        Row(str(index), photos / f"{index}.png", "nv", part, str(index))
        for index, part in enumerate(("train", "test", "test", "cal"))
    ]
    manifest = tmp_path / "skin.csv"
    write_manifest(manifest, Manifest("skin-lesion", tuple(rows)))
    return [photos, manifest]


def test_kinds_are_folders_held_back_parts_and_drawn_pictures(tmp_path, sources):
    kinds = write_kinds(sources, tmp_path / "kinds", 3)

    assert {kind: len(files) for kind, files in kinds.items()} == {
        GENERATED: 3,
        "photos": 3,
        "skin-lesion": 2,
    }


def test_every_model_is_visited_by_every_kind(tmp_path, sources, tiny_checkpoint_path):
    kinds = write_kinds(sources, tmp_path / "kinds", 3)

    visits = list(visit_all([tiny_checkpoint_path("chest-xray")], kinds))

    assert [visit.kind for visit in visits] == list(kinds)
    assert all(sum(visit.outcomes.values()) == visit.inputs for visit in visits)


def test_the_table_marks_the_own_kind_and_counts_unreadable_files_as_rejected():
    outcomes = Counter({"rejected": 2, "error": 1, "abstained": 1})

    table = door_table([Visit("ecg", "ecg", 4, outcomes)])

    assert "| ecg | ecg (own) | 3/4 (0.301–0.954) | 1/4" in table
