"""Calibrate: from logits and labels of the calibration part to the DecisionRule of the file.

The part is used for nothing else. On small sets out-of-fold logits take its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from contracts.modality import DecisionRule, Modality
from training.measure import conformal
from training.measure.balance import balanced_shift
from training.measure.bootstrap import Array
from training.measure.operating_point import OperatingRule, choose_threshold
from training.measure.scaling import fit_sigmoid, fit_softmax
from training.measure.scored import Scored, accepted_of, probabilities_of
from training.metrics import Bools

#: A label at least this probable is never left out of the prediction set.
NEVER_EXCLUDED = 0.5
#: At most this share of the calibration cases of independent labels may have no positive label.
_NOTHING_POSITIVE = 0.03


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """What is decided before the calibration part is seen.

    `accept` is the share of calibration cases that get a single answer, `coverage` that of the
    prediction sets. `balanced_decision` moves the decision towards rare classes.
    """

    operating: OperatingRule
    accept: float = 0.92
    coverage: float = 0.9
    balanced_decision: bool = False
    fit_bias: bool = True


def settings_for(modality: Modality, config: Mapping[str, object]) -> CalibrationSettings:
    """Return the settings of a run: by kind of output, with the recipe's `minimum_sensitivity`
    (binary), `balanced_decision`, `accept` and `coverage`.

    A binary recipe that states the sensitivity it needs gets the best specificity at it: where
    the calibration cases are nearly separable, thresholds of equal balance span a wide range, and
    only the stated need tells them apart.
    """
    sensitivity = _number(config, "minimum_sensitivity", 0.0)
    if modality.activation == "sigmoid":
        operating = OperatingRule("balanced")
    elif len(modality.labels) == 2:
        # The prevalence at the place of use is unknown, so neither error counts more by number.
        stated = OperatingRule("sensitivity", sensitivity)
        operating = stated if sensitivity else OperatingRule("balanced")
    else:
        operating = OperatingRule("specificity", 0.9)
    return CalibrationSettings(
        operating=operating,
        accept=_number(config, "accept", 0.92),
        coverage=_number(config, "coverage", 0.9),
        balanced_decision=bool(config.get("balanced_decision", False)),
    )


def fit_rule(
    cal: Scored, modality: Modality, settings: CalibrationSettings, *, val: Scored | None = None
) -> DecisionRule:
    """Return the rule fitted on `cal`; the balance of classes is chosen on `val` when given.

    Raises ValueError when a label is missing from the calibration cases.
    """
    if not cal.truth.any(axis=0).all():
        raise ValueError("the calibration part lacks a label")
    if modality.activation == "sigmoid":
        return _sigmoid_rule(cal, settings)
    critical = [code in modality.critical for code in modality.codes]
    return _softmax_rule(cal, settings, val or cal, critical)


def _softmax_rule(
    cal: Scored, settings: CalibrationSettings, val: Scored, critical: Sequence[bool]
) -> DecisionRule:
    """One class of several."""
    temperature, bias = fit_softmax(cal.logits, cal.truth, with_bias=settings.fit_bias)
    size = cal.truth.shape[1]
    plain = DecisionRule(
        "softmax", (temperature,), bias, (0.0,) * size, (0.5,) * size, (0.0,) * size, size
    )
    probabilities = probabilities_of(cal.logits, plain)
    thresholds = _class_thresholds(probabilities, cal.truth, settings.operating)
    prior = cal.truth.mean(axis=0)
    shift: tuple[float, ...]
    if size == 2:
        shift = (0.0, float(np.log((1 - thresholds[1]) / thresholds[1])))
    elif settings.balanced_decision:
        shift = balanced_shift(val, probabilities_of(val.logits, plain), prior)
    else:
        shift = (0.0,) * size
    minimums = conformal.reached_minimums(probabilities, cal.truth, settings.coverage, critical)
    rule = DecisionRule(
        activation="softmax",
        temperature=(temperature,),
        bias=bias,
        shift=shift,
        thresholds=thresholds,
        set_minimum=tuple(min(minimum, NEVER_EXCLUDED) for minimum in minimums),
        max_set_size=size,
        coverage=settings.coverage,
    )
    return _with_abstention(rule, probabilities, settings.accept)


def _class_thresholds(
    probabilities: Array, truth: Bools, operating: OperatingRule
) -> tuple[float, ...]:
    """One threshold per class; of two classes the second decides and the first mirrors it."""
    if truth.shape[1] == 2:
        threshold = choose_threshold(probabilities[:, 1], truth[:, 1], operating)
        return (1 - threshold, threshold)
    return tuple(
        choose_threshold(probabilities[:, k], truth[:, k], operating) for k in range(truth.shape[1])
    )


def _with_abstention(rule: DecisionRule, probabilities: Array, accept: float) -> DecisionRule:
    """Spend at most half of the abstentions on large sets and the rest on low probability."""
    size = (probabilities >= np.asarray(rule.set_minimum)).sum(axis=1)
    budget = 1 - (1 - accept) / 2
    limits = range(1, probabilities.shape[1] + 1)
    largest = next(limit for limit in limits if (size <= limit).mean() >= budget)
    bounded = replace(rule, max_set_size=int(largest))
    top = probabilities.max(axis=1)
    answered = np.sort(top[accepted_of(probabilities, bounded)])[::-1]
    wanted = min(len(answered), int(np.ceil(accept * len(top))))
    return replace(bounded, min_probability=float(answered[wanted - 1]))


def _sigmoid_rule(cal: Scored, settings: CalibrationSettings) -> DecisionRule:
    """Independent labels, each with its own Platt fit."""
    size = cal.truth.shape[1]
    fits = [fit_sigmoid(cal.logits[:, k], cal.truth[:, k]) for k in range(size)]
    rule = DecisionRule(
        activation="sigmoid",
        temperature=tuple(temperature for temperature, _ in fits),
        bias=tuple(bias for _, bias in fits),
        shift=(0.0,) * size,
        thresholds=(0.5,) * size,
        set_minimum=(0.0,) * size,
        max_set_size=size,
        coverage=settings.coverage,
    )
    probabilities = probabilities_of(cal.logits, rule)
    chosen = np.asarray(
        [
            choose_threshold(probabilities[:, k], cal.truth[:, k], settings.operating)
            for k in range(size)
        ]
    )
    thresholds = _answering_thresholds(probabilities, chosen)
    minimums = conformal.class_minimums(probabilities, cal.truth, settings.coverage)
    rule = replace(
        rule,
        thresholds=tuple(float(value) for value in thresholds),
        set_minimum=tuple(
            float(min(minimum, threshold))
            for minimum, threshold in zip(minimums, thresholds, strict=True)
        ),
    )
    return replace(rule, undecided=_undecided(probabilities, rule, settings.accept))


def _answering_thresholds(probabilities: Array, thresholds: Array) -> Array:
    """Lower all thresholds together, in log-odds, until nearly every case has a positive label."""
    margin = (_log_odds(probabilities) - _log_odds(thresholds)).max(axis=1)
    allowed = int(_NOTHING_POSITIVE * len(margin))
    missing = min(0.0, float(np.sort(margin)[allowed]))
    return np.asarray(1 / (1 + np.exp(-(_log_odds(thresholds) + missing - 1e-9))))


def _undecided(probabilities: Array, rule: DecisionRule, accept: float) -> tuple[float, ...]:
    """Half-widths of the same extent in log-odds, as wide as the accepted share allows."""
    thresholds = np.asarray(rule.thresholds)
    slope = thresholds * (1 - thresholds)
    positive = (probabilities >= thresholds).any(axis=1)
    distance = (np.abs(probabilities - thresholds) / slope).min(axis=1)
    answered = np.sort(distance[positive])[::-1]
    wanted = min(len(answered), int(np.ceil(accept * len(probabilities))))
    width = max(0.0, float(answered[wanted - 1]) - 1e-9)
    return tuple(float(value) for value in width * slope)


def _log_odds(probabilities: Array) -> Array:
    """Log-odds, finite for certainties."""
    clipped = np.clip(probabilities, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped / (1 - clipped)))


def _number(config: Mapping[str, object], key: str, default: float) -> float:
    """A numeric setting; raise ValueError for anything else."""
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{key} must be a number")
    return float(value)
