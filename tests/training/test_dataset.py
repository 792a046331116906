"""Banks, targets and the order of an epoch."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from contracts.modality import ImageSpec
from contracts.registry import get_modality
from training.config import TrainConfig
from training.dataset import (
    ImageBank,
    allocate,
    class_counts,
    encode_targets,
    epoch_batches,
    load_bank,
)


def bank(targets):
    return ImageBank(torch.zeros(len(targets), 1, 3, 4, 4, dtype=torch.uint8), targets)


def test_class_labels_become_positions_in_registry_order():
    targets = encode_targets(["PNEUMONIA", "NORMAL"], get_modality("chest-xray"))

    assert targets.tolist() == [1, 0]


def test_several_labels_of_one_record_become_one_row():
    targets = encode_targets(["MI;STTC", "NORM"], get_modality("ecg"))

    assert targets.tolist() == [[0, 1, 1, 0, 0], [1, 0, 0, 0, 0]]


def test_a_label_that_the_modality_lacks_is_refused_without_being_repeated():
    with pytest.raises(ValueError, match="chest-xray") as caught:
        encode_targets(["COVID"], get_modality("chest-xray"))

    assert "COVID" not in str(caught.value)


def test_a_picture_enters_the_bank_at_the_canonical_size_with_its_variants():
    spec = ImageSpec(base_width=8, base_height=6)
    loaded = load_bank(
        2,
        lambda index, variant: Image.new("RGB", (20, 20), (index, variant, 7)),
        torch.zeros(2),
        spec,
        variants=2,
    )

    assert loaded.images.shape == (2, 2, 3, 6, 8)
    assert loaded.images[1, 1, :, 0, 0].tolist() == [1, 1, 7]


def test_a_part_larger_than_memory_lies_in_a_file_that_nobody_sees(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    images = allocate((3, 1, 3, 40, 50), most_bytes=1000)
    images[1] = 7
    images[2] = 9

    assert ImageBank(images, torch.zeros(3)).pick(torch.tensor([2, 1]))[:, 0, 0, 0].tolist() == [
        9,
        7,
    ]
    maps = Path("/proc/self/maps")
    assert not maps.exists() or str(tmp_path) in maps.read_text()
    assert list(tmp_path.iterdir()) == []


def test_only_training_picks_random_variants():
    images = torch.arange(5, dtype=torch.uint8).view(1, 5, 1, 1, 1).expand(1, 5, 3, 2, 2)
    loaded = ImageBank(images, torch.zeros(1))
    generator = torch.Generator().manual_seed(0)

    clean = loaded.pick(torch.tensor([0]))
    drawn = {int(loaded.pick(torch.tensor([0]), generator)[0, 0, 0, 0]) for _ in range(50)}

    assert int(clean[0, 0, 0, 0]) == 0
    assert drawn == {0, 1, 2, 3, 4}


def test_an_epoch_shows_every_input_once():
    batches = list(
        epoch_batches(bank(torch.zeros(12).long()), TrainConfig(batch_size=4), 2, seed=5)
    )

    assert sorted(torch.cat(batches).tolist()) == list(range(12))


def test_the_members_of_a_team_share_an_epoch_without_overlap():
    config, data = TrainConfig(batch_size=3), bank(torch.zeros(12).long())
    shares = [
        torch.cat(list(epoch_batches(data, config, 2, seed=1, rank=rank, world=2)))
        for rank in range(2)
    ]

    assert sorted(torch.cat(shares).tolist()) == list(range(12))


def test_the_sampler_draws_a_rare_class_more_often_than_it_occurs():
    targets = torch.tensor([0] * 900 + [1] * 100)
    config = TrainConfig(imbalance="sampler", imbalance_power=1.0, batch_size=100)

    drawn = torch.cat(list(epoch_batches(bank(targets), config, 2, seed=0)))

    assert 0.42 < float(targets[drawn].float().mean()) < 0.58


def test_an_absent_class_counts_as_one_so_that_no_weight_is_infinite():
    assert class_counts(torch.tensor([0, 0]), 3).tolist() == [2, 1, 1]
