"""Metrics of ranking and of decisions, each for many weightings of the same cases at once.

Every function takes `weights [B, N]` (rows of ones: the plain figure) and returns `[B]`; a draw
that does not define the figure gives NaN. Scores are `[N]`, truth is bool `[N]` or one-hot
`[N, K]`. Agreement with scikit-learn is tested. Calibration error is in `calibration_error.py`,
abstention in `selective.py`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.measure.bootstrap import Array

Bools = NDArray[np.bool_]


def auroc(scores: Array, truth: Bools, weights: Array) -> Array:
    """Area under the ROC curve; ties count half."""
    positive, negative = _by_score(scores, truth, weights)
    below = np.cumsum(negative, axis=1) - 0.5 * negative
    return ratio((positive * below).sum(axis=1), positive.sum(axis=1) * negative.sum(axis=1))


def auprc(scores: Array, truth: Bools, weights: Array) -> Array:
    """Average precision: precision weighted by the steps of recall, without interpolation."""
    positive, negative = _by_score(-scores, truth, weights)
    hits = np.cumsum(positive, axis=1)
    precision = ratio(hits, hits + np.cumsum(negative, axis=1), empty=0.0)
    return ratio((positive * precision).sum(axis=1), positive.sum(axis=1))


def sensitivity_at(specificity: float, scores: Array, truth: Bools, weights: Array) -> Array:
    """Best sensitivity of any threshold whose specificity is at least `specificity`."""
    positive, negative = _by_score(-scores, truth, weights)
    sensitivity = ratio(np.cumsum(positive, axis=1), positive.sum(axis=1, keepdims=True))
    false_share = ratio(np.cumsum(negative, axis=1), negative.sum(axis=1, keepdims=True))
    allowed = np.where(false_share <= 1 - specificity + 1e-12, sensitivity, 0.0)
    return np.where(np.isnan(sensitivity[:, -1] + false_share[:, -1]), np.nan, allowed.max(axis=1))


def share(hit: Bools, among: Bools, weights: Array) -> Array:
    """Weighted share of `hit` among the cases in `among`: recall, specificity, precision."""
    return ratio(weights @ (hit & among), weights @ among.astype(np.float64))


def accuracy(truth: Bools, decided: Bools, weights: Array) -> Array:
    """Share of cases whose labels are all right."""
    right = (truth == decided).all(axis=1)
    return ratio(weights @ right, weights.sum(axis=1))


def balanced_accuracy(truth: Bools, decided: Bools, weights: Array) -> Array:
    """Mean recall of the classes that occur in the draw."""
    recalls = [share(decided[:, k], truth[:, k], weights) for k in range(truth.shape[1])]
    return _nan_mean(np.stack(recalls))


def f1(truth: Bools, decided: Bools, weights: Array) -> Array:
    """F1 of one label; zero when it is never right, NaN when it neither occurs nor is decided."""
    hits = weights @ (truth & decided)
    return ratio(2 * hits, weights @ truth.astype(float) + weights @ decided.astype(float))


def macro_f1(truth: Bools, decided: Bools, weights: Array) -> Array:
    """Mean F1 of the labels that occur or are decided."""
    each = [f1(truth[:, k], decided[:, k], weights) for k in range(truth.shape[1])]
    return _nan_mean(np.stack(each))


def weighted_f1(truth: Bools, decided: Bools, weights: Array) -> Array:
    """Mean F1 weighted by how often each label occurs."""
    each = np.stack([f1(truth[:, k], decided[:, k], weights) for k in range(truth.shape[1])])
    support = np.stack([weights @ truth[:, k].astype(float) for k in range(truth.shape[1])])
    return ratio((np.nan_to_num(each) * support).sum(axis=0), support.sum(axis=0))


def macro_auroc(scores: Array, truth: Bools, weights: Array) -> Array:
    """Mean one-versus-rest AUROC of the labels for which the draw defines it."""
    each = [auroc(scores[:, k], truth[:, k], weights) for k in range(truth.shape[1])]
    return _nan_mean(np.stack(each))


def macro_auprc(scores: Array, truth: Bools, weights: Array) -> Array:
    """Mean average precision of the labels that occur in the draw."""
    each = [auprc(scores[:, k], truth[:, k], weights) for k in range(truth.shape[1])]
    return _nan_mean(np.stack(each))


def predictive_values(
    sensitivity: Array, specificity: Array, prevalence: float
) -> tuple[Array, Array]:
    """Return PPV and NPV at a prevalence by Bayes."""
    true_positive, false_positive = sensitivity * prevalence, (1 - specificity) * (1 - prevalence)
    true_negative, false_negative = specificity * (1 - prevalence), (1 - sensitivity) * prevalence
    return (
        ratio(true_positive, true_positive + false_positive),
        ratio(true_negative, true_negative + false_negative),
    )


def fmax(scores: Array, truth: Bools, weights: Array) -> Array:
    """Largest F1 of the case-wise mean precision and recall over thresholds 0, .01 … 1.

    Precision is the mean over cases with any label decided, recall over cases with any label.
    """
    thresholds = np.linspace(0, 1, 101)
    best = np.zeros(len(weights))
    labels = truth.sum(axis=1)
    for threshold in thresholds:
        decided = scores >= threshold
        hits, counts = (decided & truth).sum(axis=1), decided.sum(axis=1)
        precision = ratio(weights @ (hits / np.maximum(counts, 1)), weights @ (counts > 0))
        recall = ratio(weights @ (hits / np.maximum(labels, 1)), weights @ (labels > 0))
        best = np.fmax(best, ratio(2 * precision * recall, precision + recall, empty=0.0))
    return best


def confusion(truth: Bools, decided: Bools) -> NDArray[np.int64]:
    """Return counts `[K, K]`: row is the true class, column the decided one (one-hot input)."""
    return truth.astype(np.int64).T @ decided.astype(np.int64)


def ratio(above: Array, below: Array, *, empty: float = np.nan) -> Array:
    """Divide; `empty` where the divisor is zero."""
    above, below = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    quotient = np.divide(above, below, out=np.full(below.shape, empty), where=below > 0)
    return np.asarray(quotient)


def _by_score(scores: Array, truth: Bools, weights: Array) -> tuple[Array, Array]:
    """Weights of positives and negatives summed per distinct score, in ascending order."""
    order = np.argsort(scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    drawn, positive = weights[:, order], truth[order]
    return (
        np.add.reduceat(drawn * positive, starts, axis=1),
        np.add.reduceat(drawn * ~positive, starts, axis=1),
    )


def _nan_mean(values: Array) -> Array:
    """Mean over the first axis without the NaNs; NaN when all are."""
    defined = np.isfinite(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=0), defined.sum(axis=0))
