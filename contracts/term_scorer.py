"""Score a list of terms from a vocabulary: which label fits, and what each term adds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from contracts.estimator import SavedEstimator
from contracts.modality import Modality
from contracts.schemas import Contribution, Reason
from contracts.table_score import TableScore, check_finite
from contracts.tables import Json
from contracts.vocabulary import TermList, Vocabulary, decode_terms, raised_flags

#: Name of the estimator over a vocabulary.
TERMS = "terms"

REPEATED = Reason(code="repeated_entries", message="Entries that mean the same were counted once.")
UNRECOGNISED = Reason(
    code="unrecognised_entries",
    message="Some entries are not in the vocabulary and were left out; see the suggestions.",
)


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
        """Score one list of terms; see `contracts.scorer.Scorer`."""
        terms = decode_terms(document, self._vocabulary)
        present = np.zeros((1, len(self._column)))
        columns = [self._column[term] for term in terms.recognised]
        present[0, columns] = 1.0
        logits = np.asarray(self._model.predict_log_proba(present))[0, self._order]
        check_finite(logits)
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
