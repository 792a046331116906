"""Answer table rows by the steps that serve; a document that may not be scored is an error row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from contracts.errors import ServiceError
from contracts.estimator import SavedEstimator
from contracts.modality import Modality
from contracts.scorer import decide, scorer_of
from training.evaluation.row_answer import RowAnswer, error_answer, judged_answer
from training.manifest import Row
from training.tables.rows import document_of


def answer_tables(
    saved: SavedEstimator, rows: Sequence[Row], modality: Modality
) -> Iterator[RowAnswer]:
    """Yield the answer on each row, in row order; historical rows may lack required columns."""
    scorer = scorer_of(saved, modality, complete=False)
    for row in rows:
        document = document_of(row)
        try:
            score = scorer.score(document)
        except ServiceError as error:
            yield error_answer(row, error)
            continue
        judgement = decide(score, saved.release.decision, modality)
        yield judged_answer(row, judgement, score.logits, warnings=score.warnings)
