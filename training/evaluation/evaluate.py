"""Evaluate: score a labelled manifest through the very code that serves.

    model file + manifest → rows.csv (one line per input), metrics.json, report.html, summary

Every figure is on all inputs that have scores, whatever the outcome; those of the accepted ones
and their share stand beside. An input that cannot be read is a row with outcome `error`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from contracts.checkpoint import load_checkpoint
from contracts.errors import UnknownModality
from contracts.modality import Kind, Modality
from contracts.registry import get_modality
from contracts.release import Release
from training.evaluation.files import write_metrics, write_rows
from training.evaluation.reopen import log_opening, may_open
from training.evaluation.row_answer import ERROR, RowAnswer
from training.evaluation.summary import summarise
from training.manifest import TEST, BadManifest, Manifest, Row, read_manifest
from training.measure.bootstrap import DRAWS
from training.measure.document import measure
from training.measure.figures import answers_of, wrong_of
from training.measure.informative import informative_marks
from training.measure.scored import Scored, scored_from
from training.release.openings import OPENINGS
from training.report.page import write_report

ALL = "all"
Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The answers on all rows, and the metrics JSON."""

    release: Release
    modality: Modality
    answers: tuple[RowAnswer, ...]
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What is seldom changed. `reason` allows and logs a first look at the model's own test set."""

    reason: str = ""
    openings: Path = OPENINGS
    draws: int = DRAWS


def evaluate_checkpoint(
    checkpoint: Path,
    manifest: Path,
    *,
    part: str = TEST,
    out: Path | None = None,
    log: Log = lambda line: None,
    options: EvaluateOptions | None = None,
) -> Evaluation:
    """Score one part (`all`: every row), write rows, metrics and report into `out`.

    Raises BadCheckpoint, BadManifest (unreadable list or file, empty part) and AlreadyOpened or
    ValueError for the model's own test set, see `reopen.may_open`.
    """
    options = options or EvaluateOptions()
    listed = read_manifest(manifest)
    rows = listed.rows if part == ALL else listed.part(part)
    if not rows:
        raise BadManifest(f"{manifest}: holds no rows of the part {part!r}.")
    modality = modality_of(checkpoint, listed)
    release, answers_source = open_answers(checkpoint, rows, modality)
    opening = may_open(release, listed, rows, options.reason, options.openings)
    answers = tuple(answers_source)
    metrics = _metrics(release, modality, answers, options.draws)
    metrics |= {"manifest_sha256": listed.sha256, "part": part}
    if opening:
        log_opening(release, listed, rows, metrics, options.reason, options.openings)
    if out is not None:
        write_rows(out / "rows.csv", answers, release, modality)
        write_metrics(out / "metrics.json", metrics)
        _write_report(out, release, modality, answers, metrics)
    log(summarise(metrics))
    return Evaluation(release, modality, answers, metrics)


def modality_of(checkpoint: Path, manifest: Manifest) -> Modality:
    """Return the modality that the file's folder names, else the manifest's.

    Raises UnknownModality when neither names one.
    """
    try:
        return get_modality(checkpoint.resolve().parent.name)
    except UnknownModality:
        return get_modality(manifest.modality)


def open_answers(
    checkpoint: Path, rows: Sequence[Row], modality: Modality
) -> tuple[Release, Iterable[RowAnswer]]:
    """Load the model file of either kind and return what it says and the answers, lazily."""
    if modality.kind is Kind.TABLE:
        from contracts.estimator import load_estimator
        from training.evaluation.answer_tables import answer_tables

        saved = load_estimator(checkpoint, modality)
        return saved.release, answer_tables(saved, rows, modality)
    from training.evaluation.answer_images import answer_images

    loaded = load_checkpoint(checkpoint, modality)
    return loaded.release, answer_images(loaded, rows, modality)


def _metrics(
    release: Release, modality: Modality, answers: Sequence[RowAnswer], draws: int
) -> dict[str, Any]:
    """Outcomes of all rows, figures of those with scores and a known label."""
    result: dict[str, Any] = {
        "model": {
            "modality": modality.id,
            "version": release.version,
            "sha256": release.sha256,
        },
        "rows": len(answers),
        "outcomes": dict(Counter(answer.outcome for answer in answers)),
        "outcomes_by_label": _by_label(answers),
        "reasons": dict(Counter(code for answer in answers for code in answer.reasons)),
        "warnings": dict(Counter(code for answer in answers for code in answer.warnings)),
    }
    known = [answer for answer in answers if _has_figures(answer, modality)]
    result["without_figures"] = len(answers) - len(known)
    if known:
        scored = _scored(known, modality)
        accepted = np.asarray([answer.outcome == "accepted" for answer in known])
        rule = release.decision
        result["figures"] = measure(scored, rule, modality, accepted=accepted, draws=draws)
        wrong = wrong_of(answers_of(scored, rule))
        marks = [(*answer.reasons, *answer.warnings) for answer in known]
        result["informative"] = informative_marks(marks, wrong, scored.groups, draws=draws)
    return result


def _write_report(
    out: Path,
    release: Release,
    modality: Modality,
    answers: Sequence[RowAnswer],
    metrics: dict[str, Any],
) -> None:
    """Plots and page, where there are figures to show."""
    if "figures" not in metrics:
        return
    known = [answer for answer in answers if _has_figures(answer, modality)]
    name = str(metrics["part"])
    write_report(
        out,
        release,
        modality,
        scored={name: _scored(known, modality)},
        figures={name: metrics["figures"]},
    )


def _has_figures(answer: RowAnswer, modality: Modality) -> bool:
    """True when a row has scores and a label that the model knows."""
    labels = answer.row.labels
    if answer.outcome == ERROR or not set(labels) <= set(modality.codes):
        return False
    return modality.activation == "sigmoid" or len(labels) == 1


def _scored(answers: Sequence[RowAnswer], modality: Modality) -> Scored:
    """Rows, logits and truth of answered rows."""
    logits = np.asarray([answer.logits for answer in answers], dtype=np.float64)
    return scored_from([answer.row for answer in answers], logits, modality)


def _by_label(answers: Sequence[RowAnswer]) -> dict[str, dict[str, int]]:
    """Outcomes counted per label of the manifest, foreign labels included."""
    table: dict[str, Counter[str]] = {}
    for answer in answers:
        table.setdefault(answer.row.label, Counter())[answer.outcome] += 1
    return {label: dict(counts) for label, counts in sorted(table.items())}
