"""Manifest rows of tabular modalities: the JSON document of each, and its score.

The document stands in the column `input`; in a hand-made list `path` may name a JSON file
instead. Both are read by the parser that serves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contracts.errors import ServiceError
from contracts.estimator import SavedEstimator, load_estimator
from contracts.findings import Judgement
from contracts.modality import Modality
from contracts.scorer import Scorer, TableScore, decide, scorer_of
from contracts.tables import Json, parse_json_object
from training.bootstrap import Array
from training.manifest import BadManifest, Row

INPUT = "input"


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One row with its score and decision as the service would give them."""

    row: Row
    score: TableScore
    judgement: Judgement


def document_of(row: Row) -> dict[str, Json]:
    """Return the JSON document of a row; raise BadManifest naming the row when there is none."""
    text = row.attributes.get(INPUT, "")
    try:
        payload = text.encode() if text else row.path.read_bytes()
        return parse_json_object(payload)
    except (OSError, ServiceError) as error:
        raise BadManifest(f"row {row.id}: its input cannot be read as JSON.") from error


def score_table_rows(path: Path, rows: Sequence[Row], modality: Modality) -> list[ScoredRow]:
    """Score rows with a `.skops` file through the code that serves, in row order.

    Historical rows may lack required columns, which the model knows as missing. Raises
    BadCheckpoint, and BadManifest naming the row whose document may not be scored.
    """
    saved = load_estimator(path, modality)
    scorer = scorer_of(saved, modality, complete=False)
    return [_scored(scorer, saved, row, modality) for row in rows]


def logits_of(scored: Sequence[ScoredRow], modality: Modality) -> Array:
    """Return float64 logits `[N, K]`."""
    found = np.array([entry.score.logits for entry in scored], dtype=np.float64)
    return found.reshape(len(scored), len(modality.labels))


def _scored(scorer: Scorer, saved: SavedEstimator, row: Row, modality: Modality) -> ScoredRow:
    """Score and judge one row."""
    try:
        score = scorer.score(document_of(row))
    except ServiceError as error:
        raise BadManifest(f"row {row.id}: {error.detail}") from error
    return ScoredRow(row, score, decide(score, saved.release.decision, modality))
