"""Scored: labelled cases with the logits that the network gave them, and what follows from both."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.modality import DecisionRule, Modality
from training.manifest import Row
from training.measure.bootstrap import Array
from training.metrics import Bools


@dataclass(frozen=True, slots=True)
class Scored:
    """Manifest rows, float64 logits `[N, K]` and truth `[N, K]` (one-hot, or several labels)."""

    rows: tuple[Row, ...]
    logits: Array
    truth: Bools

    def __len__(self) -> int:
        """Number of cases."""
        return len(self.rows)

    @property
    def groups(self) -> list[str]:
        """The group of each case; a case without one is its own group."""
        return [row.group or row.id for row in self.rows]

    @property
    def strata(self) -> list[str]:
        """What the bootstrap keeps constant: the label or label set of each case."""
        return [row.label for row in self.rows]

    def subset(self, chosen: NDArray[np.bool_]) -> Scored:
        """Return the chosen cases."""
        rows = tuple(row for row, keep in zip(self.rows, chosen, strict=True) if keep)
        return Scored(rows, self.logits[chosen], self.truth[chosen])


def scored_from(rows: Sequence[Row], logits: Array, modality: Modality) -> Scored:
    """Join rows and logits; raise ValueError for an unknown label or a logit that is not finite."""
    if not np.isfinite(logits).all():
        raise ValueError("a logit is not finite")
    return Scored(tuple(rows), np.asarray(logits, dtype=np.float64), truth_of(rows, modality))


def truth_of(rows: Sequence[Row], modality: Modality) -> Bools:
    """Return bool `[N, K]`; raise ValueError for a label the modality lacks, or for several
    labels where exactly one is possible.
    """
    column = {code: index for index, code in enumerate(modality.codes)}
    truth = np.zeros((len(rows), len(column)), dtype=bool)
    for index, row in enumerate(rows):
        if modality.activation == "softmax" and len(row.labels) != 1:
            raise ValueError(f"{modality.id} needs exactly one label per row")
        for label in row.labels:
            if label not in column:
                raise ValueError(f"a row holds a label that {modality.id} does not have")
            truth[index, column[label]] = True
    return truth


def probabilities_of(logits: Array, rule: DecisionRule) -> Array:
    """Return calibrated probabilities `[N, K]`: `contracts.findings.calibrate` for many cases."""
    scaled = logits / np.asarray(rule.temperature) + np.asarray(rule.bias or 0.0)
    if rule.activation == "sigmoid":
        return np.asarray(0.5 * (1 + np.tanh(scaled / 2)))
    scaled = scaled - scaled.max(axis=1, keepdims=True)
    weights = np.exp(scaled)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def decided_of(probabilities: Array, rule: DecisionRule) -> Bools:
    """Return the labels `[N, K]` that would be given if no case were abstained from.

    Softmax: one-hot of `argmax(log p + shift)`; sigmoid: every label at its threshold.
    """
    if rule.activation == "sigmoid":
        return np.asarray(probabilities >= np.asarray(rule.thresholds))
    shifted = np.log(np.maximum(probabilities, 1e-12)) + np.asarray(rule.shift)
    return np.asarray(shifted.argmax(axis=1)[:, None] == np.arange(probabilities.shape[1]))


def accepted_of(probabilities: Array, rule: DecisionRule) -> Bools:
    """Return `[N]`: which cases `contracts.findings.judge` answers."""
    if rule.activation == "sigmoid":
        return _labels_accepted(probabilities, rule)
    size = (probabilities >= np.asarray(rule.set_minimum)).sum(axis=1)
    sure = probabilities.max(axis=1) >= rule.min_probability
    return np.asarray(sure & (size > 0) & (size <= rule.max_set_size))


def set_digest(rows: Sequence[Row]) -> str:
    """Return the SHA-256 that names a set of inputs, whatever their order and parts."""
    lines = sorted(f"{row.sha256 or row.id} {row.label}" for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _labels_accepted(probabilities: Array, rule: DecisionRule) -> Bools:
    """Independent labels: something is positive and nothing lies too close to its threshold."""
    thresholds = np.asarray(rule.thresholds)
    width = np.asarray(rule.undecided or (0.0,) * len(thresholds))
    near = (np.abs(probabilities - thresholds) < width).any(axis=1)
    return np.asarray((probabilities >= thresholds).any(axis=1) & ~near)
