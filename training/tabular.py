"""Train a tabular model: manifest → fitted parts → golden cases → `v<N>.skops` → card.

The written file is read back and must repeat its golden logits before the card is written. A
model without a clear lead over its baselines is refused, a version is never overwritten.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from contracts.errors import BadCheckpoint
from contracts.estimator import (
    GOLDEN_TOLERANCE,
    GoldenCase,
    SavedEstimator,
    golden_difference,
    load_estimator,
    save_estimator,
)
from contracts.modality import Column, Modality
from contracts.registry import get_modality
from contracts.release import Release, next_version
from contracts.scorer import scorer_of
from contracts.tables import Json
from training.manifest import TRAIN, BadManifest, Manifest, read_manifest
from training.measure.bootstrap import DRAWS
from training.measure.scored import Scored
from training.release.plain import plain_values
from training.release.provenance import git_commit, library_versions, recipe_digest
from training.report.page import write_report
from training.tables.card import write_table_card
from training.tables.config import RecipeSource
from training.tables.heart_release import build_heart
from training.tables.parts import TableParts
from training.tables.symptom_release import build_symptoms


def utc_now() -> datetime:
    """The clock of a release."""
    return datetime.now(UTC)


def train_table(  # noqa: PLR0913 - the last six are seldom given
    modality_id: str,
    manifest: Path,
    out: Path,
    *,
    seed: int = 0,
    recipe_file: Path | None = None,
    settings: Sequence[str] | None = None,
    draws: int = DRAWS,
    reports: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Path:
    """Write the next version of a tabular model below `out` and return its path.

    The part `train` is used whole: figures are out of fold. `recipe_file` replaces the preset,
    `settings` change it by `key=value`; plots and a page go to `reports/<id>/report-v<N>`.
    Raises BadManifest, BadConfig and NotBetterThanBaseline.
    """
    modality = get_modality(modality_id)
    listed = read_manifest(manifest, modality_id)
    rows = listed.part(TRAIN)
    if not rows:
        raise BadManifest(f"{manifest}: holds no rows of the part {TRAIN!r}.")
    started = time.perf_counter()
    build = build_symptoms if modality.table is None else build_heart
    source = RecipeSource(recipe_file, tuple(settings or ()))
    parts = build(modality, rows, seed=seed, source=source, draws=draws)
    folder = out / modality.id
    origin = _origin(parts, listed, seed, time.perf_counter() - started, clock())
    path = export_table(parts, origin, folder, modality)
    if reports is not None and parts.out_of_fold is not None:
        release = load_estimator(path, modality).release
        _report(parts.out_of_fold, release, modality, reports)
    return path


def export_table(
    parts: TableParts, origin: Mapping[str, object], folder: Path, modality: Modality
) -> Path:
    """Write, reload and check one model file with its card; raise BadCheckpoint."""
    release = Release(
        modality=modality.id,
        version=next_version(folder),
        arch=parts.arch,
        labels=modality.codes,
        decision=parts.decision,
        columns=parts.columns,
        likelihood_ratios=parts.likelihood_ratios,
        metrics=plain_values(parts.metrics),
        provenance=plain_values(origin),
        extra=plain_values(parts.extra),
    )
    draft = SavedEstimator(release, parts.estimators, ())
    golden = _golden(draft, modality)
    path = save_estimator(SavedEstimator(release, parts.estimators, golden), folder)
    stored = load_estimator(path, modality)
    scorer = scorer_of(stored, modality)
    again = [scorer.score(case.document).logits for case in stored.golden]
    if golden_difference(stored.golden, again) > GOLDEN_TOLERANCE:
        raise BadCheckpoint("the released file does not repeat its golden logits")
    write_table_card(path, stored.release, modality)
    return path


def _report(cases: Scored, release: Release, modality: Modality, reports: Path) -> None:
    """Write plots and page of the out-of-fold cases."""
    name = "out_of_fold"
    write_report(
        reports / modality.id / f"report-v{release.version}",
        release,
        modality,
        scored={name: cases},
        figures={name: release.metrics[name]},
    )


def golden_documents(modality: Modality) -> list[dict[str, Json]]:
    """Return made-up documents that exercise the whole input; they describe nobody."""
    if modality.table is None:
        ids = [term.id for term in modality.vocabulary]
        return [{"symptoms": list(ids[start : start + 8])} for start in range(0, len(ids), 8)]
    columns = modality.table.columns
    return [
        {column.name: _made_up(column, share) for column in columns if column.required or optional}
        for share in (0.3, 0.5, 0.7)
        for optional in (False, True)
    ]


def _golden(draft: SavedEstimator, modality: Modality) -> tuple[GoldenCase, ...]:
    """Score the golden documents with the parts that go into the file."""
    scorer = scorer_of(draft, modality)
    return tuple(
        GoldenCase(document, scorer.score(document).logits)
        for document in golden_documents(modality)
    )


def _made_up(column: Column, share: float) -> Json:
    """A value at this share of the column's range or list of choices."""
    if column.kind == "flag":
        return share > 0.5
    if column.kind == "choice":
        return column.choices[int(share * len(column.choices))][0]
    low, high = column.minimum or 0.0, column.maximum or 0.0
    return float(round(low + share * (high - low)))


def _origin(
    parts: TableParts, listed: Manifest, seed: int, seconds: float, now: datetime
) -> dict[str, object]:
    """How the file came to be, in plain values that reveal nothing of the machine."""
    return {
        "created": now.isoformat(timespec="seconds"),
        "commit": git_commit(),
        "libraries": library_versions(),
        "config": parts.config,
        "recipe_sha256": recipe_digest(parts.config),
        "manifest_sha256": listed.sha256,
        "manifest": dict(listed.meta),
        "rows_by_part": {TRAIN: len(listed.part(TRAIN))},
        "weights_sha256": _weights_digest(parts.estimators),
        "seeds": [seed],
        "init": "fitted from nothing",
        "device": "cpu",
        "training_seconds": seconds,
        "epochs": 0,
    }


def _weights_digest(estimators: Mapping[str, Any]) -> str:
    """SHA-256 of the learned numbers, estimators in order of their names."""
    digest = hashlib.sha256()
    for name in sorted(estimators):
        model = estimators[name]
        last = model["model"] if hasattr(model, "named_steps") else model
        learned = last.coef_ if hasattr(last, "coef_") else last.feature_log_prob_
        digest.update(np.ascontiguousarray(learned, dtype=np.float64).tobytes())
    return digest.hexdigest()
