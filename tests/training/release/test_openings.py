"""One look at a test set per model, and every look in the log."""

import json
from pathlib import Path

import pytest
import torch

from contracts.checkpoint import load_checkpoint
from contracts.modality import Kind
from contracts.registry import MODALITIES
from training.release.openings import (
    AlreadyOpened,
    Opening,
    append_opening,
    count_openings,
    find_opening,
    read_openings,
    weights_digest,
)

ROOT = Path(__file__).parents[3]


def opening(weights="w1", digest="s1"):
    return Opening(
        date="2026-01-02",
        commit="c",
        recipe_sha256="r",
        weights_sha256=(weights,),
        set_id="chest-xray/test",
        set_sha256=digest,
        manifest_sha256="m",
        rule={},
        metrics={"n": 1},
        reason="release",
    )


def test_a_log_grows_by_one_line_per_look(tmp_path):
    log = tmp_path / "openings.jsonl"

    append_opening(opening("w1"), log)
    append_opening(opening("w2"), log)
    append_opening(opening("w1", digest="s2"), log)

    assert [row["weights_sha256"] for row in read_openings(log)] == [["w1"], ["w2"], ["w1"]]


def test_a_second_look_of_one_model_at_one_set_is_refused(tmp_path):
    log = tmp_path / "openings.jsonl"
    append_opening(opening(), log)

    with pytest.raises(AlreadyOpened, match="chest-xray/test"):
        append_opening(opening(), log)

    assert len(read_openings(log)) == 1


def test_looks_of_other_models_at_the_same_set_are_counted(tmp_path):
    log = tmp_path / "openings.jsonl"
    append_opening(opening("a"), log)
    append_opening(opening("b"), log)

    assert count_openings(opening().set_sha256, log) == 2
    assert count_openings("another set", log) == 0


def test_no_log_means_no_look(tmp_path):
    assert find_opening("s1", "w1", tmp_path / "none") is None


def test_a_digest_names_the_weights_and_changes_with_any_of_them():
    weights = {"a": torch.zeros(2), "b": torch.ones(3).half()}
    changed = weights | {"b": torch.tensor([1.0, 1.0, 1.001]).half()}

    assert weights_digest(weights) == weights_digest(dict(reversed(weights.items())))
    assert weights_digest(weights) != weights_digest(changed)
    assert weights_digest(weights) != weights_digest({"a": weights["a"]})


def released_files():
    for modality in MODALITIES:
        if modality.kind is not Kind.TABLE:
            for path in sorted((ROOT / "models" / modality.id).glob("v*.pth")):
                yield path, modality


def test_every_card_that_quotes_a_test_figure_has_exactly_one_row_in_the_log():
    for path, modality in released_files():
        release = load_checkpoint(path, modality).release
        card = path.with_suffix(".md").read_text()
        if "test" not in release.metrics:
            assert "No test set was opened" in card
            continue
        rows = [
            row
            for row in read_openings()
            if release.provenance["weights_sha256"] in row["weights_sha256"]
            and row["set_id"] == f"{modality.id}/test"
        ]
        assert len(rows) == 1, f"{modality.id}: {len(rows)} rows for one model"
        assert rows[0]["metrics"]["all"] == release.metrics["test"]["all"]


def test_no_model_stands_twice_in_the_log_for_one_set():
    pairs = [
        (row["set_sha256"], digest) for row in read_openings() for digest in row["weights_sha256"]
    ]

    assert len(pairs) == len(set(pairs)), json.dumps(pairs)
