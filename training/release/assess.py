"""Assess: calibrate a reloaded network, compare it with its baselines, and measure it.

val   figures, choice of the class balance, comparison with the baselines
cal   temperature, thresholds, sets, abstention, likelihood ratios; or out-of-fold scores
test  only with a reason, once per set and model, see `opened_test.py`
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from torch import nn

from contracts.modality import DecisionRule, Modality
from training.calibrate import CalibrationSettings, fit_rule, settings_for
from training.evaluation.predict import score_rows
from training.fit.trained import Trained
from training.manifest import CAL, TEST, TRAIN, VAL
from training.measure.bands import observed_bands
from training.measure.baselines import (
    baseline_scores,
    compare,
    cross_fitted_scores,
    refuse_unless_better,
)
from training.measure.document import measure
from training.measure.likelihood import likelihood_ratios
from training.measure.scored import Scored, probabilities_of, scored_from
from training.metrics import Bools
from training.release.opened_test import open_test
from training.release.options import ReleaseOptions

OUT_OF_FOLD = "out_of_fold"
_FOLDS = 5


@dataclass(frozen=True, slots=True)
class Assessment:
    """What is known of a model before it is released; `metrics` is the JSON of the file."""

    rule: DecisionRule
    metrics: dict[str, Any]
    likelihood_ratios: dict[str, dict[str, float]]
    scored: dict[str, Scored]


def assess(network: nn.Module, trained: Trained, options: ReleaseOptions) -> Assessment:
    """Return rule, figures and ratios of a network whose weights were read back from a file.

    Raises NotBetterThanBaseline before any test set is opened, ValueError when neither a part
    `cal` nor out-of-fold scores are there, AlreadyOpened for a second look at a test set.
    """
    settings = settings_for(trained.modality, trained.config)
    scored = {part: _score(network, trained, part) for part in (VAL, CAL)}
    cal = options.out_of_fold or scored[CAL]
    if not len(cal):
        raise ValueError("calibration needs a part cal or out-of-fold scores")
    rule = fit_rule(cal, trained.modality, settings, val=scored[VAL] if len(scored[VAL]) else None)
    if options.out_of_fold is not None:
        scored[OUT_OF_FOLD] = calibrated_out_of_fold(cal, rule, trained, settings)
    judged = next(part for part in (OUT_OF_FOLD, VAL, CAL) if len(scored.get(part, ())))
    table = _compare(scored[judged], judged, rule, trained, options)
    refuse_unless_better(table)
    metrics: dict[str, Any] = {
        part: measure(cases, rule, trained.modality, draws=options.draws)
        for part, cases in scored.items()
        if len(cases) and part != CAL
    }
    metrics["baselines"] = {"part": judged, "table": table}
    lowest = dict(zip(trained.modality.codes, lowest_supported(cal.truth), strict=True))
    metrics["calibration"] = _calibration(cal, rule, settings) | {"lowest_supported": lowest}
    if options.test_reason:
        metrics[TEST], opened = open_test(network, trained, rule, options)
        scored |= {} if opened is None else {TEST: opened}
    scored = {part: cases for part, cases in scored.items() if len(cases)}
    _add_bands(metrics, scored, rule, trained.modality, lowest)
    return Assessment(rule, metrics, likelihood_ratios(cal, rule, trained.modality), scored)


def _add_bands(
    metrics: dict[str, Any],
    scored: Mapping[str, Scored],
    rule: DecisionRule,
    modality: Modality,
    lowest: Mapping[str, float],
) -> None:
    """Add the observed rates by band to each measured set, where the modality has a scale."""
    if modality.scale is None:
        return
    for part in metrics.keys() & scored.keys():
        bands = observed_bands(scored[part], rule, modality, lowest[modality.scale.label])
        metrics[part] = metrics[part] | {"bands": bands}


def calibrated_out_of_fold(
    scored: Scored, rule: DecisionRule, trained: Trained, settings: CalibrationSettings
) -> Scored:
    """Return scores whose probabilities under `rule` were calibrated without their own fold.

    The folds are those of the manifest's attribute `fold`, else five by group.
    """
    logits = np.zeros_like(scored.logits)
    folds = fold_names(scored)
    for fold in sorted(set(folds.tolist())):
        inside = np.asarray(folds == fold)
        own = fit_rule(scored.subset(~inside), trained.modality, settings)
        probabilities = np.clip(probabilities_of(scored.logits[inside], own), 1e-12, 1 - 1e-12)
        logits[inside] = _logits_for(probabilities, rule)
    return replace(scored, logits=logits)


def fold_names(scored: Scored) -> np.ndarray:
    """Return the fold of each case."""
    named = [row.attributes.get("fold", "") for row in scored.rows]
    if all(named):
        return np.asarray(named)
    _, index = np.unique(scored.groups, return_inverse=True)
    return np.asarray([str(value % _FOLDS) for value in index])


def _logits_for(probabilities: np.ndarray, rule: DecisionRule) -> np.ndarray:
    """The logits that the rule turns into these probabilities."""
    logs = np.log(probabilities)
    if rule.activation == "sigmoid":
        logs = logs - np.log1p(-probabilities)
    return np.asarray((logs - np.asarray(rule.bias)) * np.asarray(rule.temperature))


def _score(network: nn.Module, trained: Trained, part: str) -> Scored:
    """Logits of one part by the reloaded network."""
    rows = trained.manifest.part(part)
    logits = score_rows(network, rows, trained.modality, trained.image, trained.render)
    return scored_from(rows, logits, trained.modality)


def _compare(
    scored: Scored, part: str, rule: DecisionRule, trained: Trained, options: ReleaseOptions
) -> dict[str, Any]:
    """The table of baselines: fitted on train, or across folds when the scores are."""
    modality, render = trained.modality, trained.render
    if part == OUT_OF_FOLD:
        baselines = cross_fitted_scores(scored.rows, modality, render)
    else:
        baselines = baseline_scores(trained.manifest.part(TRAIN), scored.rows, modality, render)
    return compare(scored, rule, modality, baselines, draws=options.draws)


def lowest_supported(truth: Bools) -> list[float]:
    """Return for each label the smallest probability that these cases could show.

    The one-sided 95 % bound of a rate when none of the n cases without the label had it, about
    3 / n: even a model that ranks perfectly cannot be shown to mean less.
    """
    without = (~truth).sum(axis=0)
    return [1 - 0.05 ** (1 / int(n)) if n else 1.0 for n in without]


def _calibration(cal: Scored, rule: DecisionRule, settings: CalibrationSettings) -> dict[str, Any]:
    """How the rule was made, for the card."""
    return {
        "n": len(cal),
        "groups": len(set(cal.groups)),
        "operating_rule": settings.operating.describe(),
        "settings": asdict(settings),
        "rule": asdict(rule),
    }
