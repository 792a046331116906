"""Fit the ranked differential: multinomial naive Bayes over the terms that are present.

An absent term says nothing, which is the limit of random symptom dropout: a caller names a few
of the symptoms, never all. Each term of a case weighs one by the number of its terms, so that a
case with many is no louder than one with few. Priors are equal, because the number of synthetic
rows of a disease is no prevalence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import BernoulliNB, MultinomialNB

from contracts.modality import Modality
from contracts.vocabulary import Vocabulary, decode_terms
from training.manifest import Row
from training.measure.bootstrap import Array
from training.tables.config import TermRecipe
from training.tables.rows import document_of

Labels = NDArray[np.str_]
Fit = Callable[[Array, Labels, np.random.Generator], "Classifier"]


@dataclass(frozen=True, slots=True)
class TermCases:
    """Distinct cases: presence `[N, V]`, label codes `[N]`."""

    rows: tuple[Row, ...]
    present: Array
    labels: Labels


@dataclass(frozen=True, slots=True)
class Classifier:
    """A fitted model and its class order."""

    model: MultinomialNB | BernoulliNB | LogisticRegression

    def log_proba(self, present: Array, codes: Sequence[str]) -> Array:
        """Return log-probabilities `[N, K]` in the order of `codes`; unseen labels get -30."""
        known = list(self.model.classes_)
        found = self.model.predict_log_proba(present)
        table = np.full((len(present), len(codes)), -30.0)
        for column, code in enumerate(codes):
            if code in known:
                table[:, column] = found[:, known.index(code)]
        return table


def read_cases(rows: Sequence[Row], modality: Modality) -> TermCases:
    """Return the cases of manifest rows; raise ServiceError or BadManifest for a bad document."""
    vocabulary = Vocabulary(modality.vocabulary)
    column = {term: index for index, term in enumerate(vocabulary.ids)}
    present = np.zeros((len(rows), len(column)))
    for index, row in enumerate(rows):
        terms = decode_terms(document_of(row), vocabulary)
        present[index, [column[term] for term in terms.recognised]] = 1.0
    return TermCases(tuple(rows), present, np.array([row.label for row in rows]))


def fit_naive_bayes(present: Array, labels: Labels, smoothing: float) -> MultinomialNB:
    """Fit the released kind of model."""
    weighed = present / np.maximum(present.sum(axis=1, keepdims=True), 1.0)
    return MultinomialNB(alpha=smoothing, fit_prior=False).fit(weighed, labels)


def choose_smoothing(cases: TermCases, recipe: TermRecipe, seed: int) -> float:
    """Return the smoothing of least log loss on masked cases, by cross-validation inside."""
    random = np.random.default_rng(seed)
    parts = StratifiedKFold(3, shuffle=True, random_state=seed)
    codes = sorted(set(cases.labels.tolist()))
    loss = dict.fromkeys(recipe.smoothing, 0.0)
    for train, held in parts.split(cases.present, cases.labels):
        masked = [mask(cases.present[held], count, 0, random) for count in (2, 3, 4)]
        truth = np.array([codes.index(label) for label in cases.labels[held]])
        for smoothing in recipe.smoothing:
            model = Classifier(
                fit_naive_bayes(cases.present[train], cases.labels[train], smoothing)
            )
            for view in masked:
                logs = model.log_proba(view, codes)
                loss[smoothing] -= float(logs[np.arange(len(truth)), truth].sum())
    return min(loss, key=loss.__getitem__)


def mask(present: Array, known: int, false: int, random: np.random.Generator) -> Array:
    """Keep `known` true terms of each case (all, if it has fewer) and add `false` wrong ones."""
    masked = np.zeros_like(present)
    for index, row in enumerate(present):
        true, wrong = np.flatnonzero(row), np.flatnonzero(row == 0)
        masked[index, random.permutation(true)[:known]] = 1.0
        masked[index, random.permutation(wrong)[:false]] = 1.0
    return masked


def candidates(recipe: TermRecipe) -> dict[str, Fit]:
    """Return the models that are compared, the released kind first."""

    def naive_bayes(present: Array, labels: Labels, random: np.random.Generator) -> Classifier:
        cases = TermCases((), present, labels)
        chosen = choose_smoothing(cases, recipe, int(random.integers(2**31)))
        return Classifier(fit_naive_bayes(present, labels, chosen))

    def bernoulli(present: Array, labels: Labels, random: np.random.Generator) -> Classifier:
        return Classifier(BernoulliNB(alpha=0.5).fit(*_dropped(present, labels, 20, random)))

    def logistic(present: Array, labels: Labels, random: np.random.Generator) -> Classifier:
        dropped = _dropped(present, labels, 10, random)
        return Classifier(LogisticRegression(C=1.0, max_iter=300).fit(*dropped))

    def plain(present: Array, labels: Labels, random: np.random.Generator) -> Classifier:
        return Classifier(LogisticRegression(C=1.0, max_iter=300).fit(present, labels))

    return {
        "multinomial naive Bayes": naive_bayes,
        "Bernoulli naive Bayes with dropout": bernoulli,
        "logistic regression with dropout": logistic,
        "logistic regression, no dropout": plain,
    }


def _dropped(
    present: Array, labels: Labels, copies: int, random: np.random.Generator
) -> tuple[Array, Labels]:
    """Copies of the cases in which a random number of symptoms is left."""
    views = []
    for _ in range(copies):
        view = np.zeros_like(present)
        for index, row in enumerate(present):
            true = np.flatnonzero(row)
            kept = int(random.integers(1, min(len(true), 6) + 1))
            view[index, random.permutation(true)[:kept]] = 1.0
        views.append(view)
    return np.concatenate(views), np.tile(labels, copies)
