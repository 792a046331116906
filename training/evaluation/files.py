"""Evaluation files: `rows.csv`, one line per input, and `metrics.json`."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contracts.findings import calibrate
from contracts.modality import Modality
from contracts.release import Release
from training.evaluation.row_answer import RowAnswer
from training.release.plain import plain_values


def write_rows(
    path: Path, answers: Sequence[RowAnswer], release: Release, modality: Modality
) -> None:
    """Write id, label, outcome, reasons, answer and the probabilities whatever the outcome.

    Several codes are joined by ";". Probabilities are empty only where nothing could be read.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    head = ["id", "label", "outcome", "reasons", "warnings", "answer", "prediction_set"]
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*head, *(f"p_{code}" for code in modality.codes)])
        for answer in answers:
            writer.writerow(_cells(answer, release, modality))


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write the metrics JSON; raise ValueError for a number that is not finite."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(plain_values(metrics), indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n")


def _cells(answer: RowAnswer, release: Release, modality: Modality) -> list[str]:
    """One line."""
    probabilities = [""] * len(modality.codes)
    if answer.logits is not None:
        values = calibrate(answer.logits, release.decision)
        probabilities = [f"{value:.6f}" for value in values]
    return [
        answer.row.id,
        answer.row.label,
        answer.outcome,
        ";".join(answer.reasons),
        ";".join(answer.warnings),
        answer.label or "",
        ";".join(answer.prediction_set),
        *probabilities,
    ]
