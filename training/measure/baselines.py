"""Baselines: what cheap cues reach, and the refusal of a model that is no better than they are.

Each is fitted on the training part and compared on validation by a paired cluster bootstrap of
the macro AUROC. The majority class is beaten in balanced accuracy as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from contracts.modality import DecisionRule, Modality, RenderSpec
from training import metrics
from training.manifest import Row
from training.measure.bootstrap import (
    DRAWS,
    Array,
    Estimate,
    cluster_weights,
    estimate,
    paired_difference,
)
from training.measure.cues import Array as Features
from training.measure.cues import Cues, read_cues
from training.measure.figures import answers_of
from training.measure.scored import Scored, truth_of
from training.metrics import Bools

#: Fitted by least squares on standardised pixels; strong enough to be hard to tune away.
_RIDGE_ALPHA = 1000.0
_FOLDS = 5


class NotBetterThanBaseline(ValueError):
    """The model may not be exported: the interval of its lead over a cheap cue holds zero."""


class _Regressor(Protocol):
    """What is used of scikit-learn's estimators."""

    def fit(self, X: Features, y: Features) -> object: ...

    def predict(self, X: Features) -> Features: ...


def baseline_scores(
    train: Sequence[Row], rows: Sequence[Row], modality: Modality, render: RenderSpec | None
) -> dict[str, Array]:
    """Return `[N, K]` scores of `rows` by each cue, fitted on `train`."""
    cues = read_cues([*train, *rows], modality, render)
    known, asked = np.arange(len(train)), np.arange(len(train), len(cues))
    return _fit_and_score(cues.at(known), truth_of(train, modality), cues.at(asked))


def cross_fitted_scores(
    rows: Sequence[Row], modality: Modality, render: RenderSpec | None
) -> dict[str, Array]:
    """Return out-of-fold `[N, K]` scores by each cue, folds by group: for sets without parts."""
    cues = read_cues(rows, modality, render)
    truth = truth_of(rows, modality)
    groups = [row.group or row.id for row in rows]
    total: dict[str, Array] = {}
    folds = GroupKFold(min(_FOLDS, len(set(groups))))
    for train, asked in folds.split(truth, groups=groups):
        for name, scores in _fit_and_score(cues.at(train), truth[train], cues.at(asked)).items():
            total.setdefault(name, np.zeros(truth.shape))[asked] = scores
    return total


def compare(
    scored: Scored,
    rule: DecisionRule,
    modality: Modality,
    baselines: dict[str, Array],
    *,
    draws: int = DRAWS,
) -> dict[str, Any]:
    """Return, per baseline, its macro AUROC and the model's lead over it, with intervals."""
    answers = answers_of(scored, rule)
    weights = cluster_weights(scored.groups, scored.strata, draws=draws)
    ours = partial(metrics.macro_auroc, answers.probabilities, scored.truth)
    table: dict[str, Any] = {}
    for name, scores in baselines.items():
        theirs = partial(metrics.macro_auroc, scores, scored.truth)
        table[name] = {
            "auroc.macro": estimate(theirs, weights).to_plain(),
            "lead": paired_difference(ours, theirs, weights).to_plain(),
        }
    if rule.activation == "softmax":
        decided = partial(metrics.balanced_accuracy, scored.truth, answers.decided)
        constant = partial(metrics.balanced_accuracy, scored.truth, _majority(scored.truth))
        table["majority"]["balanced_accuracy.lead"] = paired_difference(
            decided, constant, weights
        ).to_plain()
    return table


def refuse_unless_better(table: dict[str, Any]) -> None:
    """Raise NotBetterThanBaseline naming every baseline that the model does not clearly beat."""
    beaten_by = [
        f"{name} ({key} {_text(lead)})"
        for name, row in table.items()
        for key, lead in row.items()
        if key.endswith("lead") and not (lead["low"] is not None and lead["low"] > 0)
    ]
    if beaten_by:
        raise NotBetterThanBaseline(f"no clear lead over: {'; '.join(beaten_by)}")


def _fit_and_score(known: Cues, truth: Bools, asked: Cues) -> dict[str, Array]:
    """Fit each cue on the known cases and score the asked ones."""
    table = {"majority": np.tile(truth.mean(axis=0), (len(asked), 1))}
    for name in known.features:
        model = _linear() if name in ("thumbnail", "border") else _forest()
        model.fit(known.features[name], truth.astype(np.float32))
        table[name] = np.asarray(model.predict(asked.features[name]), dtype=np.float64)
    return table


def _linear() -> _Regressor:
    """A linear model of standardised pixels."""
    return make_pipeline(StandardScaler(), Ridge(alpha=_RIDGE_ALPHA))  # type: ignore[no-any-return]


def _forest() -> _Regressor:
    """A forest for the few columns of size or metadata."""
    return RandomForestRegressor(  # type: ignore[no-any-return]
        n_estimators=100, min_samples_leaf=5, random_state=0
    )


def _majority(truth: Bools) -> Bools:
    """The one-hot answer that always names the most frequent class."""
    top = truth.sum(axis=0).argmax()
    return np.asarray(np.tile(np.arange(truth.shape[1]) == top, (len(truth), 1)))


def _text(lead: dict[str, float | None]) -> str:
    """Value and interval for the message."""
    shown = Estimate(lead["value"], lead["low"], lead["high"])
    if shown.value is None or shown.low is None or shown.high is None:
        return "not defined"
    return f"{shown.value:+.3f}, {shown.low:+.3f} to {shown.high:+.3f}"
