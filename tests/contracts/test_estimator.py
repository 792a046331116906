"""C8: a tabular model file is opened by digest, trusted types and version, or not at all."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.naive_bayes import MultinomialNB

from contracts.errors import BadCheckpoint
from contracts.estimator import (
    GoldenCase,
    SavedEstimator,
    golden_difference,
    installed_version,
    load_estimator,
    save_estimator,
)
from contracts.modality import DecisionRule
from contracts.registry import get_modality
from contracts.release import Release, add_sum
from contracts.term_scorer import TERMS

MODALITY = get_modality("symptoms")
SIZE = len(MODALITY.labels)


class Unknown:
    """A type that no list trusts."""


@pytest.fixture
def saved() -> SavedEstimator:
    release = Release(
        modality=MODALITY.id,
        version=1,
        arch="multinomial_naive_bayes",
        labels=MODALITY.codes,
        decision=DecisionRule(
            "softmax", (1.0,), (), (0.0,) * SIZE, (0.5,) * SIZE, (0.1,) * SIZE, SIZE
        ),
        columns=tuple(term.id for term in MODALITY.vocabulary),
        extra={"minimum_terms": 3},
    )
    model = MultinomialNB().fit(np.eye(SIZE, len(MODALITY.vocabulary)), np.array(MODALITY.codes))
    golden = (GoldenCase({"symptoms": ["cough"]}, (-1.0,) * SIZE),)
    return SavedEstimator(release, {TERMS: model}, golden)


def rewrite(path: Path, **changes: object) -> Path:
    """Change members of the stored dict and let the digest agree again."""
    plain = skops.io.loads(path.read_bytes(), trusted=["numpy.dtype"])
    path.write_bytes(skops.io.dumps(plain | changes))
    (path.parent / "SHA256SUMS").unlink()
    add_sum(path)
    return path


def test_what_was_saved_is_loaded(saved, tmp_path):
    path = save_estimator(saved, tmp_path)

    loaded = load_estimator(path, MODALITY)

    assert replace(loaded.release, sha256="") == saved.release
    assert loaded.golden == saved.golden
    assert (
        loaded.estimators[TERMS].feature_log_prob_ == saved.estimators[TERMS].feature_log_prob_
    ).all()


def test_a_version_is_never_overwritten_and_no_half_file_is_left(saved, tmp_path):
    save_estimator(saved, tmp_path)

    with pytest.raises(FileExistsError):
        save_estimator(saved, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "v1.skops"]


def test_C2_a_flipped_byte_is_refused_before_the_file_is_opened(saved, tmp_path):
    path = save_estimator(saved, tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)

    with pytest.raises(BadCheckpoint, match="digest"):
        load_estimator(path, MODALITY)


@pytest.mark.parametrize("payload", [b"", b"PK", b"no zip at all", b"PK\x05\x06" + b"\0" * 18])
def test_C8_a_damaged_archive_with_a_right_digest_is_refused(tmp_path, payload):
    path = tmp_path / "v1.skops"
    path.write_bytes(payload)
    add_sum(path)

    with pytest.raises(BadCheckpoint):
        load_estimator(path, MODALITY)


def test_C8_an_untrusted_type_is_refused(saved, tmp_path):
    path = save_estimator(saved, tmp_path)

    with pytest.raises(BadCheckpoint, match="trusted"):
        load_estimator(rewrite(path, estimators={TERMS: Unknown()}), MODALITY)


def test_C8_a_type_that_could_not_be_loaded_is_not_saved(saved, tmp_path):
    with pytest.raises(BadCheckpoint, match="trusted"):
        save_estimator(replace(saved, estimators={TERMS: Unknown()}), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_C8_another_version_of_scikit_learn_is_named_and_refused(saved, tmp_path):
    path = save_estimator(saved, tmp_path)

    with pytest.raises(BadCheckpoint, match=f"0.1, installed is {installed_version()}"):
        load_estimator(rewrite(path, scikit_learn="0.1"), MODALITY)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"format": 2}, "format"),
        ({"labels": ["a", "b"]}, "labels"),
        ({"modality": "heart-risk"}, "heart-risk"),
        ({"golden": []}, "golden"),
        ({"golden": [{"document": {}, "logits": [float("nan")] * SIZE}]}, "golden"),
        ({"golden": [{"document": {}}]}, "golden"),
        ({"estimators": None}, "estimators"),
    ],
)
def test_C3_C4_a_file_that_contradicts_the_registry_or_itself_is_refused(
    saved, tmp_path, changes, reason
):
    path = save_estimator(saved, tmp_path)

    with pytest.raises(BadCheckpoint, match=reason):
        load_estimator(rewrite(path, **changes), MODALITY)


def test_C3_a_file_that_was_calibrated_for_another_activation_is_refused(saved, tmp_path):
    rule = replace(saved.release.decision, activation="sigmoid")
    changed = replace(saved, release=replace(saved.release, decision=rule))

    with pytest.raises(BadCheckpoint, match="activation"):
        load_estimator(save_estimator(changed, tmp_path), MODALITY)


def test_a_missing_file_is_missing_and_not_bad(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_estimator(tmp_path / "v1.skops", MODALITY)


def test_the_largest_golden_difference_counts_and_nan_is_infinite():
    golden = (GoldenCase({}, (0.0, 1.0)), GoldenCase({}, (2.0, 3.0)))

    assert golden_difference(golden, [(0.0, 1.5), (2.1, 3.0)]) == pytest.approx(0.5)
    assert golden_difference(golden, [(0.0, 1.0), (float("nan"), 3.0)]) == float("inf")
