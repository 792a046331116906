"""From a JSON document to logits and contributions with a tabular model file.

    document → checked row or terms → design vector → logits, one contribution per input

Training's evaluation and the service run this very code, so that published figures are those of
what answers. `decide` turns the score into the decision.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from contracts.errors import BadCheckpoint, ModelUnavailable
from contracts.estimator import SavedEstimator
from contracts.findings import Judgement, judge
from contracts.modality import DecisionRule, Modality, RedFlag
from contracts.schemas import Contribution, Outcome, Reason, Unrecognised
from contracts.tables import Json, TableRow, decode_table, encode_table
from contracts.vocabulary import TermList, Vocabulary, decode_terms, raised_flags

Array = NDArray[np.float64]

#: Names of the two blocks of a table model: required columns alone, and all of them.
REQUIRED_ONLY, ALL_COLUMNS = "required", "all"
#: Name of the estimator over a vocabulary.
TERMS = "terms"

REPEATED = Reason(code="repeated_entries", message="Entries that mean the same were counted once.")
UNRECOGNISED = Reason(
    code="unrecognised_entries",
    message="Some entries are not in the vocabulary and were left out; see the suggestions.",
)


@dataclass(frozen=True, slots=True)
class TableScore:
    """Logits of one document, and what is said beside them.

    `contributions` are in log-odds before the temperature: of the second label against the first
    and against the reference person (two labels), or of the first-ranked label against the
    second-ranked one (several). `baseline` is the log-odds without any of them, so that both
    add up to the log-odds of `target` against `against`.
    """

    logits: tuple[float, ...]
    contributions: tuple[Contribution, ...]
    target: str
    against: str
    baseline: float
    reasons: tuple[Reason, ...] = ()
    warnings: tuple[Reason, ...] = ()
    recognised: tuple[str, ...] = ()
    unrecognised: tuple[Unrecognised, ...] = ()
    flags: tuple[RedFlag, ...] = ()
    measurements: Mapping[str, float | str | bool | list[str] | None] = field(default_factory=dict)


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


class ColumnScorer:
    """Two pipelines, `encode` then `model` (logistic regression): chosen by which columns came.

    Without any optional column the block of the required ones answers; otherwise the block of
    all columns, in which a missing one has a level of its own.
    """

    def __init__(self, saved: SavedEstimator, modality: Modality, *, complete: bool) -> None:
        """`complete` makes a missing required column an error."""
        if modality.table is None:
            raise ValueError("the modality has no columns")
        self._spec = modality.table
        self._labels = modality.codes
        self._complete = complete
        self._optional = {column.name for column in self._spec.columns if not column.required}
        self._units = {column.name: column.unit for column in self._spec.columns}
        self._estimators = saved.estimators
        self._blocks: dict[str, Any] = saved.release.extra["blocks"]

    def score(self, document: Mapping[str, Json]) -> TableScore:
        """Score one row; see Scorer."""
        row = decode_table(document, self._spec, complete=self._complete)
        block = REQUIRED_ONLY if self._optional <= set(row.missing) else ALL_COLUMNS
        known: dict[str, Any] = self._blocks[block]
        pipeline = self._estimators[block]
        values = _row_array(row, known["columns"])
        design = np.asarray(pipeline["encode"].transform(values), dtype=np.float64)[0]
        weights = pipeline["model"].coef_[0]
        reference = np.asarray(known["reference"])
        moved = weights * (design - reference)
        log_odds = float(design @ weights + pipeline["model"].intercept_[0])
        _check_finite((log_odds, *moved))
        return TableScore(
            logits=_two_logits(log_odds),
            contributions=self._contributions(row, known["sources"], moved),
            target=self._labels[1],
            against=self._labels[0],
            baseline=log_odds - float(moved.sum()),
            measurements={"block": block, "columns_missing": list(row.missing)},
        )

    def _contributions(
        self, row: TableRow, sources: list[str], moved: Array
    ) -> tuple[Contribution, ...]:
        """Sum the design columns that come from the same input, largest effect first."""
        totals: dict[str, float] = dict.fromkeys(dict.fromkeys(sources), 0.0)
        for source, value in zip(sources, moved, strict=True):
            totals[source] += float(value)
        public = encode_table(row, self._spec)
        found = [
            Contribution(
                name=name,
                value=_shown(public.get(name)),
                contribution=total,
                unit=self._units[name],
            )
            for name, total in totals.items()
        ]
        return tuple(sorted(found, key=lambda entry: -abs(entry.contribution)))


class TermScorer:
    """Multinomial naive Bayes over the terms that are present; absent ones carry no weight."""

    def __init__(self, saved: SavedEstimator, modality: Modality) -> None:
        """The smallest number of terms that gets a single answer is in the model file."""
        self._vocabulary = Vocabulary(modality.vocabulary)
        self._column = {term: index for index, term in enumerate(self._vocabulary.ids)}
        self._labels = modality.codes
        self._flags = modality.red_flags
        self._model = saved.estimators[TERMS]
        self._order = [list(self._model.classes_).index(code) for code in self._labels]
        self._weights = np.asarray(self._model.feature_log_prob_)[self._order]
        self._prior = np.asarray(self._model.class_log_prior_)[self._order]
        self._minimum = int(saved.release.extra["minimum_terms"])

    def score(self, document: Mapping[str, Json]) -> TableScore:
        """Score one list of terms; see Scorer."""
        terms = decode_terms(document, self._vocabulary)
        present = np.zeros((1, len(self._column)))
        columns = [self._column[term] for term in terms.recognised]
        present[0, columns] = 1.0
        logits = np.asarray(self._model.predict_log_proba(present))[0, self._order]
        _check_finite(logits)
        first, second = (int(index) for index in np.argsort(-logits, kind="stable")[:2])
        gains = self._weights[first, columns] - self._weights[second, columns]
        contributions = [
            Contribution(name=term, value="present", contribution=float(gain))
            for term, gain in zip(terms.recognised, gains, strict=True)
        ]
        return TableScore(
            logits=tuple(float(value) for value in logits),
            contributions=tuple(sorted(contributions, key=lambda entry: -entry.contribution)),
            target=self._labels[first],
            against=self._labels[second],
            baseline=float(self._prior[first] - self._prior[second]),
            reasons=self._too_few(terms),
            warnings=(REPEATED,) * terms.repeated + (UNRECOGNISED,) * bool(terms.unrecognised),
            recognised=terms.recognised,
            unrecognised=terms.unrecognised,
            flags=raised_flags(terms.recognised, self._flags),
            measurements={"symptoms_known": float(len(terms.recognised))},
        )

    def _too_few(self, terms: TermList) -> tuple[Reason, ...]:
        """The reason to abstain below the stated number of known terms."""
        if len(terms.recognised) >= self._minimum:
            return ()
        message = (
            f"At least {self._minimum} known symptoms are needed for a single answer. "
            "Add symptoms or have the person examined."
        )
        return (Reason(code="too_few_symptoms", message=message),)


def _row_array(row: TableRow, columns: list[str]) -> Array:
    """The named columns of one row as `[1, N]`, NaN where nothing was given."""
    by_name = dict(zip(row.names, row.values, strict=True))
    values = [by_name[name] for name in columns]
    return np.array([[np.nan if value is None else value for value in values]])


def _two_logits(log_odds: float) -> tuple[float, float]:
    """Log-probabilities of the first and the second of two labels."""
    return -_softplus(log_odds), -_softplus(-log_odds)


def _check_finite(values: Iterable[float]) -> None:
    """Raise ModelUnavailable when what was learned is damaged."""
    if not all(math.isfinite(value) for value in values):
        raise ModelUnavailable("The model gave no finite answer.", retry_after_seconds=30)


def _softplus(value: float) -> float:
    """log(1 + exp(value)) without overflow."""
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def _shown(value: float | str | bool | None) -> float | str | None:
    """How an answer shows a value of the caller's; flags in words."""
    return str(value).lower() if isinstance(value, bool) else value
