"""Figures: which metrics a modality reports, by name, ready for the bootstrap.

`auroc.macro`, `auroc.<label>`, `sensitivity.<label>` and so on; of two exclusive labels only the
second is named, because the first mirrors it. `sensitivity`, `specificity`, `ppv` and `npv` are
at the label's threshold, `recall`, `precision` and `f1` of the label that would be given. Where
the rule moves that label towards rare classes, `plain.` marks figures of the most probable one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from contracts.modality import DecisionRule, Modality
from training import metrics
from training.measure import calibration_error, selective
from training.measure.bootstrap import Array, Metric
from training.measure.scored import Scored, decided_of, probabilities_of
from training.metrics import Bools

PREVALENCES = (0.05, 0.2, 0.5)
FIXED_SPECIFICITIES = (0.8, 0.9)
#: Figures that draws put too high; see `bootstrap.biased_estimate`.
BIASED = ("ece",)
#: Marks the figures of the most probable label, beside those of a decision moved by `shift`.
PLAIN = "plain."


@dataclass(frozen=True, slots=True)
class Answers:
    """What the rule makes of scored cases; every array `[N, K]`, whatever the outcome.

    `plain` are the most probable labels, where the rule moves the decision away from them.
    """

    probabilities: Array
    truth: Bools
    decided: Bools
    positive: Bools
    plain: Bools | None = None


def answers_of(scored: Scored, rule: DecisionRule) -> Answers:
    """Return probabilities and decisions of all cases, abstained ones included."""
    probabilities = probabilities_of(scored.logits, rule)
    moved = rule.activation == "softmax" and len(rule.shift) > 2 and any(rule.shift)
    unmoved = replace(rule, shift=(0.0,) * len(rule.shift))
    return Answers(
        probabilities,
        scored.truth,
        decided_of(probabilities, rule),
        np.asarray(probabilities >= np.asarray(rule.thresholds)),
        plain=decided_of(probabilities, unmoved) if moved else None,
    )


def figures(answers: Answers, modality: Modality) -> dict[str, Metric]:
    """Return every metric that the modality reports, in the order of the report."""
    sigmoid = modality.activation == "sigmoid"
    table = dict(_ranking(answers, modality))
    table |= dict(_independent(answers) if sigmoid else _exclusive(answers, modality))
    for index, code in named_labels(modality):
        table |= _thresholded(code, answers.positive[:, index], answers.truth[:, index])
    return table


def named_labels(modality: Modality) -> list[tuple[int, str]]:
    """Return index and code of the labels with figures of their own."""
    every = list(enumerate(modality.codes))
    return every[1:] if modality.activation == "softmax" and len(every) == 2 else every


def confidence_of(answers: Answers) -> Array:
    """Return `[N]`: how sure the answer is (softmax: top probability; sigmoid: weakest label)."""
    p = answers.probabilities
    if np.allclose(p.sum(axis=1), 1):
        return np.asarray(p.max(axis=1))
    return np.asarray(np.maximum(p, 1 - p).min(axis=1))


def wrong_of(answers: Answers) -> Bools:
    """Return `[N]`: cases with any label wrong."""
    return np.asarray((answers.truth != answers.decided).any(axis=1))


def _ranking(answers: Answers, modality: Modality) -> Iterator[tuple[str, Metric]]:
    """Figures that need no threshold."""
    p, truth = answers.probabilities, answers.truth
    yield "auroc.macro", partial(metrics.macro_auroc, p, truth)
    yield "auprc.macro", partial(metrics.macro_auprc, p, truth)
    for index, code in named_labels(modality):
        yield from _label_ranking(code, p[:, index], truth[:, index])
    for derived in modality.derived:
        columns = [modality.codes.index(code) for code in derived.labels]
        yield from _label_ranking(
            derived.name, p[:, columns].sum(axis=1), np.asarray(truth[:, columns].any(axis=1))
        )


def _label_ranking(code: str, p: Array, truth: Bools) -> Iterator[tuple[str, Metric]]:
    """Ranking figures of one label or one derived sum."""
    yield f"auroc.{code}", partial(metrics.auroc, p, truth)
    yield f"auprc.{code}", partial(metrics.auprc, p, truth)
    for specificity in FIXED_SPECIFICITIES:
        name = f"sensitivity_at_{specificity * 100:.0f}_specificity.{code}"
        yield name, partial(metrics.sensitivity_at, specificity, p, truth)


def _exclusive(answers: Answers, modality: Modality) -> Iterator[tuple[str, Metric]]:
    """Figures of exactly one label per case."""
    p, truth, decided = answers.probabilities, answers.truth, answers.decided
    yield from _decisions("", truth, decided)
    if answers.plain is not None:
        yield from _decisions(PLAIN, truth, answers.plain)
    for index, code in enumerate(modality.codes):
        yield f"recall.{code}", partial(metrics.share, decided[:, index], truth[:, index])
        yield f"precision.{code}", partial(metrics.share, truth[:, index], decided[:, index])
        yield f"f1.{code}", partial(metrics.f1, truth[:, index], decided[:, index])
    binary = p.shape[1] == 2
    scored = (p[:, 1:], truth[:, 1:]) if binary else (p, truth)
    yield "brier", partial(calibration_error.brier, *scored)
    yield "nll", partial(calibration_error.log_loss, p, truth)
    right = truth[np.arange(len(p)), p.argmax(axis=1)]
    ece = (p[:, 1], truth[:, 1]) if binary else (p.max(axis=1), right)
    yield "ece", partial(calibration_error.ece, *ece)
    yield from _selective(answers)


def _decisions(prefix: str, truth: Bools, decided: Bools) -> Iterator[tuple[str, Metric]]:
    """Figures of one way to choose a label for every case."""
    yield f"{prefix}accuracy", partial(metrics.accuracy, truth, decided)
    yield f"{prefix}balanced_accuracy", partial(metrics.balanced_accuracy, truth, decided)
    yield f"{prefix}f1.macro", partial(metrics.macro_f1, truth, decided)
    yield f"{prefix}f1.weighted", partial(metrics.weighted_f1, truth, decided)


def _independent(answers: Answers) -> Iterator[tuple[str, Metric]]:
    """Figures of independent labels."""
    p, truth, decided = answers.probabilities, answers.truth, answers.decided
    count = p.shape[1]
    yield "exact_match", partial(metrics.accuracy, truth, decided)
    yield "f1.macro", partial(metrics.macro_f1, truth, decided)
    yield "fmax", partial(metrics.fmax, p, truth)

    def mean_brier(weights: Array) -> Array:
        return np.asarray(calibration_error.brier(p, truth, weights) / count)

    def mean_ece(weights: Array) -> Array:
        each = [calibration_error.ece(p[:, k], truth[:, k], weights) for k in range(count)]
        return np.asarray(np.mean(each, axis=0))

    yield "brier", mean_brier
    yield "nll", partial(calibration_error.label_log_loss, p, truth)
    yield "ece", mean_ece
    yield from _selective(answers)


def _selective(answers: Answers) -> Iterator[tuple[str, Metric]]:
    """Figures of abstention by confidence."""
    confidence, wrong = confidence_of(answers), wrong_of(answers)
    yield "aurc", partial(selective.aurc, confidence, wrong)
    yield "risk_at_80_coverage", partial(selective.risk_at, 0.8, confidence, wrong)


def _thresholded(code: str, positive: Bools, truth: Bools) -> dict[str, Metric]:
    """Sensitivity, specificity and predictive values of one label at its threshold."""

    def sensitivity(weights: Array) -> Array:
        return metrics.share(positive, truth, weights)

    def specificity(weights: Array) -> Array:
        return metrics.share(~positive, ~truth, weights)

    def predictive(index: int, prevalence: float, weights: Array) -> Array:
        both = sensitivity(weights), specificity(weights)
        return metrics.predictive_values(*both, prevalence)[index]

    table: dict[str, Metric] = {
        f"sensitivity.{code}": sensitivity,
        f"specificity.{code}": specificity,
    }
    for prevalence in PREVALENCES:
        for index, name in enumerate(("ppv", "npv")):
            key = f"{name}_at_{prevalence * 100:g}_prevalence.{code}"
            table[key] = partial(predictive, index, prevalence)
    return table
