"""From logits to a decision: calibrate, compare with thresholds, form the set, decide.

Pure Python, a handful of numbers per case, so that training, vision and tabular services share
one rule. The published sensitivity is measured with this very function.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from contracts.modality import DecisionRule, Modality
from contracts.schemas import Finding, Outcome, Reason

MESSAGES = {
    "low_confidence": "The calibrated probability is too low for a single answer. "
    "Have the case read by a person.",
    "prediction_set_empty": "No label reaches the stated coverage; the case is unlike the "
    "calibration cases. Have it read by a person.",
    "prediction_set_too_large": "Too many labels cannot be excluded at the stated coverage. "
    "Have the case read by a person.",
    "undecided_label": "At least one label lies too close to its threshold to be decided. "
    "Have the case read by a person.",
    "no_label_positive": "No label reaches its threshold, so there is no single answer.",
}


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision on one input. `label` is None unless the outcome is accepted."""

    outcome: Outcome
    reasons: tuple[Reason, ...]
    label: str | None
    probabilities: dict[str, float]
    findings: tuple[Finding, ...]
    prediction_set: tuple[str, ...]
    derived: dict[str, float]


def calibrate(logits: Sequence[float], rule: DecisionRule) -> list[float]:
    """Return calibrated probabilities of one case; raise ValueError for a non-finite logit."""
    if not all(math.isfinite(logit) for logit in logits):
        raise ValueError("non-finite logit")
    if rule.activation == "sigmoid":
        scaled = [
            logit / temperature + bias
            for logit, temperature, bias in zip(logits, rule.temperature, rule.bias, strict=True)
        ]
        return [_sigmoid(value) for value in scaled]
    biases = rule.bias or (0.0,) * len(logits)
    scaled = [
        logit / rule.temperature[0] + bias for logit, bias in zip(logits, biases, strict=True)
    ]
    top = max(scaled)
    weights = [math.exp(value - top) for value in scaled]
    total = math.fsum(weights)
    return [weight / total for weight in weights]


def judge(logits: Sequence[float], rule: DecisionRule, modality: Modality) -> Judgement:
    """Decide one case. `logits` has one value per label of `modality`, in label order."""
    probabilities = calibrate(logits, rule)
    codes = modality.codes
    by_code = dict(zip(codes, probabilities, strict=True))
    prediction_set = tuple(
        code
        for code, p, minimum in zip(codes, probabilities, rule.set_minimum, strict=True)
        if p >= minimum
    )
    decide = _decide_labels if rule.activation == "sigmoid" else _decide_class
    positives, top, code = decide(probabilities, prediction_set, rule)
    reasons = () if code is None else (Reason(code=code, message=MESSAGES[code]),)
    return Judgement(
        outcome=Outcome.ABSTAINED if reasons else Outcome.ACCEPTED,
        reasons=reasons,
        label=None if reasons or top is None else codes[top],
        probabilities=by_code,
        findings=tuple(
            Finding(
                label=label.code, name=label.name, probability=p, threshold=threshold, positive=hit
            )
            for label, p, threshold, hit in zip(
                modality.labels, probabilities, rule.thresholds, positives, strict=True
            )
        ),
        prediction_set=prediction_set,
        derived={
            derived.name: min(1.0, math.fsum(by_code[label] for label in derived.labels))
            for derived in modality.derived
        },
    )


def _decide_class(
    probabilities: Sequence[float], prediction_set: Sequence[str], rule: DecisionRule
) -> tuple[list[bool], int | None, str | None]:
    """One class of several: which findings are positive, the winner, why to abstain."""
    shifted = [
        math.log(max(p, 1e-12)) + shift for p, shift in zip(probabilities, rule.shift, strict=True)
    ]
    top = max(range(len(shifted)), key=shifted.__getitem__)
    positives = [p >= t for p, t in zip(probabilities, rule.thresholds, strict=True)]
    if max(probabilities) < rule.min_probability:
        return positives, top, "low_confidence"
    if not prediction_set:
        return positives, top, "prediction_set_empty"
    if len(prediction_set) > rule.max_set_size:
        return positives, top, "prediction_set_too_large"
    return positives, top, None


def _decide_labels(
    probabilities: Sequence[float], prediction_set: Sequence[str], rule: DecisionRule
) -> tuple[list[bool], int | None, str | None]:
    """Independent labels: each against its threshold; a positive later label goes before the first.

    The first label is the normal one (ECG: NORM), so an abnormal positive is the single answer.
    """
    positives = [p >= t for p, t in zip(probabilities, rule.thresholds, strict=True)]
    undecided = rule.undecided or (0.0,) * len(probabilities)
    near = [
        abs(p - t) < width
        for p, t, width in zip(probabilities, rule.thresholds, undecided, strict=True)
    ]
    abnormal = [index for index, hit in enumerate(positives) if hit and index > 0]
    candidates = abnormal or [index for index, hit in enumerate(positives) if hit]
    top = max(candidates, key=probabilities.__getitem__) if candidates else None
    if top is None:
        return positives, None, "no_label_positive"
    if any(near):
        return positives, top, "undecided_label"
    return positives, top, None


def _sigmoid(value: float) -> float:
    """Logistic function without overflow."""
    if value >= 0:
        return 1.0 / (1.0 + math.exp(-value))
    scaled = math.exp(value)
    return scaled / (1.0 + scaled)
