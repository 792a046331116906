"""Revise: the same weights with evidence that was measured anew, as the next version."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.checkpoint import load_checkpoint
from contracts.registry import get_modality
from tests.conftest import write_tiny_checkpoint
from training.manifest import BadManifest, Manifest, Row, write_manifest
from training.release.revise import revise

CHEST = get_modality("chest-xray")
PROVENANCE = {
    "config": {},
    "created": "2026-01-01T00:00:00+00:00",
    "commit": "0" * 40,
    "weights_sha256": "0" * 64,
    "init": "random",
    "seeds": [0],
    "epochs": 1,
    "training_seconds": 1.0,
    "device": "CPU",
    "libraries": {},
    "recipe_sha256": "0" * 64,
}


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "film.png"
    Image.fromarray(np.full((64, 64, 3), 90, dtype=np.uint8)).save(path)
    rows = (Row("film", path, "NORMAL", "test", "film"),)
    return write_manifest(tmp_path / "manifest.csv", Manifest(CHEST.id, rows))


@pytest.fixture
def released(tmp_path, manifest):
    return write_tiny_checkpoint(
        CHEST.id,
        tmp_path / "models" / CHEST.id,
        provenance=PROVENANCE | {"manifest_sha256": manifest.sha256},
    )


def noisy_manifest(folder, modality, label, *, strength):
    """Six pictures of noise of one strength in each part."""
    folder.mkdir()
    random = np.random.default_rng(0)
    rows = []
    for part in ("train", "val", "cal", "test"):
        for index in range(6):
            path = folder / f"{part}-{index}.png"
            noise = random.normal(120, strength, (64, 64, 3))
            Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8)).save(path)
            rows.append(Row(path.name, path, label, part, path.name))
    return write_manifest(folder / "manifest.csv", Manifest(modality, tuple(rows)))


def test_the_next_version_has_the_same_weights_and_a_new_verdict(tmp_path, released, manifest):
    written = revise(released, manifest, tmp_path / "models")

    old, new = load_checkpoint(released, CHEST), load_checkpoint(written, CHEST)
    assert (written.name, new.release.version) == ("v2.pth", 2)
    assert all(torch.equal(old.weights[name], new.weights[name]) for name in old.weights)
    assert new.release.decision == old.release.decision
    assert old.release.explanation["passed"] is True
    assert new.release.explanation["passed"] is False, "no held-out finding, so no map"
    assert new.release.provenance["revised_from"] == old.release.sha256
    assert old.release.sha256 in written.with_suffix(".md").read_text()


def test_a_version_in_another_folder_is_above_the_old_one(tmp_path, released, manifest):
    assert revise(released, manifest, tmp_path / "elsewhere").name == "v2.pth"


def test_manifests_of_foreign_images_give_new_checks_of_the_input(tmp_path):
    own = noisy_manifest(tmp_path / "films", CHEST.id, "NORMAL", strength=20)
    other = noisy_manifest(tmp_path / "skin", "skin-lesion", "nv", strength=90)
    path = write_tiny_checkpoint(
        CHEST.id,
        tmp_path / "models" / CHEST.id,
        provenance=PROVENANCE | {"manifest_sha256": own.sha256},
    )
    old = load_checkpoint(path, CHEST)

    written = revise(path, own, tmp_path / "models", others=[tmp_path / "skin" / "manifest.csv"])

    new = load_checkpoint(written, CHEST)
    assert (old.validity, old.release.validity) == ({}, {})
    assert new.release.validity["kinds"] == [CHEST.id, "other", other.modality]
    assert new.release.validity["measured"]["kinds"]["skin-lesion"]["inputs"] == 18
    assert {"head.limit", "middle.basis", "distance.scale"} <= set(new.validity)
    assert all(torch.equal(old.weights[name], new.weights[name]) for name in old.weights)
    assert "| skin-lesion, never seen |" in written.with_suffix(".md").read_text()


def test_another_manifest_is_refused(tmp_path, released, manifest):
    other = Manifest(manifest.modality, manifest.rows, manifest.meta, "f" * 64)

    with pytest.raises(BadManifest, match="not the manifest"):
        revise(released, other, tmp_path / "models")
