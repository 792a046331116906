"""Cross-validation: nobody is scored by a network that saw their group."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.registry import get_modality
from training.config import AugmentConfig, TrainConfig
from training.fit.cross import NAME, cross_validate, load_out_of_fold
from training.manifest import Manifest, Row

CONFIG = TrainConfig(
    width=32, height=32, epochs=1, head_epochs=1, batch_size=4, amp="off", augment=AugmentConfig()
)


@pytest.fixture
def manifest(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for index in range(24):
        path = tmp_path / f"{index}.png"
        Image.fromarray(rng.integers(0, 255, (64, 64), dtype=np.uint8)).save(path)
        label = ("normal", "benign", "malignant")[index % 3]
        part = ("train", "val", "cal")[index % 5 % 3]
        rows.append(
            Row(str(index), path, label, part, f"g{index}", "", {"fold": f"fold{index % 2}"})
        )
    rows.append(Row("held", tmp_path / "0.png", "normal", "held_out", "h", "", {"fold": "fold0"}))
    return Manifest("breast-ultrasound", tuple(rows), sha256="abc")


def test_every_row_of_a_fold_is_scored_once_and_finished_folds_are_kept(manifest, tmp_path):
    torch.set_num_threads(1)
    modality, run, lines = get_modality("breast-ultrasound"), tmp_path / "run", []

    first = cross_validate(
        modality, manifest, CONFIG, init="random", run_dir=run, device_name="cpu", log=lines.append
    )
    again = cross_validate(
        modality, manifest, CONFIG, init="random", run_dir=run, device_name="cpu", log=lines.append
    )

    assert len(first) == 24
    assert "held" not in {row.id for row in first.rows}
    assert np.array_equal(first.logits, again.logits)
    assert len(lines) == 2


def test_scores_of_another_manifest_are_refused(manifest, tmp_path):
    (tmp_path / NAME).write_text(json.dumps({"manifest": "other", "logits": {}}))

    with pytest.raises(ValueError, match="another manifest"):
        load_out_of_fold(tmp_path, manifest, get_modality("breast-ultrasound"))


def test_a_manifest_without_folds_is_refused(tmp_path):
    empty = Manifest("breast-ultrasound", ())

    with pytest.raises(ValueError, match="fold"):
        cross_validate(
            get_modality("breast-ultrasound"), empty, CONFIG, init="random", run_dir=tmp_path
        )
