"""From a JSON document to logits and contributions with a tabular model file.

    document → checked row or terms → design vector → logits, one contribution per input

Training's evaluation and the service run this very code, so that published figures are those of
what answers. `decide` turns the score into the decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from contracts.column_scorer import ALL_COLUMNS, REQUIRED_ONLY, ColumnScorer
from contracts.errors import BadCheckpoint
from contracts.estimator import SavedEstimator
from contracts.findings import Judgement, judge
from contracts.modality import DecisionRule, Modality
from contracts.schemas import Outcome
from contracts.table_score import TableScore
from contracts.tables import Json
from contracts.term_scorer import TERMS, TermScorer


class Scorer(Protocol):
    """Scores documents of one modality."""

    def score(self, document: Mapping[str, Json]) -> TableScore:
        """Raises InvalidField (422) for a document that may not be scored, and ModelUnavailable
        (503) when the model gives a value that is not finite.
        """
        ...


def scorer_of(saved: SavedEstimator, modality: Modality, *, complete: bool = True) -> Scorer:
    """Return the scorer for a model file; raise BadCheckpoint when it does not fit the registry.

    `complete=False` scores historical rows that lack required columns.
    """
    if modality.table is not None:
        names = tuple(column.name for column in modality.table.columns)
        blocks = {REQUIRED_ONLY, ALL_COLUMNS}
    else:
        names, blocks = tuple(term.id for term in modality.vocabulary), {TERMS}
    if saved.release.columns != names:
        raise BadCheckpoint("columns of file and registry differ")
    if not blocks <= saved.estimators.keys():
        raise BadCheckpoint("the file lacks an estimator")
    if modality.table is not None:
        return ColumnScorer(saved, modality, complete=complete)
    return TermScorer(saved, modality)


def decide(score: TableScore, rule: DecisionRule, modality: Modality) -> Judgement:
    """Judge the logits; a reason found before the model makes the answer abstained."""
    judgement = judge(score.logits, rule, modality)
    if not score.reasons:
        return judgement
    return replace(
        judgement,
        outcome=Outcome.ABSTAINED,
        reasons=(*score.reasons, *judgement.reasons),
        label=None,
    )
