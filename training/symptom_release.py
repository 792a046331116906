"""From prepared cases to everything that the symptom model's file says."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from contracts.modality import DecisionRule, Modality
from contracts.scorer import TERMS
from training.baselines import compare, refuse_unless_better
from training.bootstrap import DRAWS
from training.calibrate import CalibrationSettings, fit_rule
from training.likelihood import likelihood_ratios
from training.manifest import Row
from training.masking import MaskedScores, masking_curve, minimum_terms, pooled, score_masked
from training.measure import measure
from training.operating_point import OperatingRule
from training.scored import Scored
from training.symptom_model import candidates, choose_smoothing, fit_naive_bayes, read_cases
from training.table_config import TermRecipe, load_recipe
from training.table_parts import TableParts

#: A label is marked positive from the lowest threshold with this specificity: with 41 labels a
#: looser one would mark several wrong ones in every answer.
SPECIFICITY = 0.995
#: Cells (true, false symptoms) on which the rule is fitted: what a caller who gets a single
#: answer enters, now and then with a symptom that does not belong.
CALIBRATION_CELLS = ((3, 0), (4, 0), (5, 0), (6, 0), (4, 1))
GATE_CELL = ((3, 0),)


def build_symptoms(
    modality: Modality,
    rows: tuple[Row, ...],
    *,
    seed: int,
    recipe: TermRecipe | None = None,
    draws: int = DRAWS,
) -> TableParts:
    """Cross-validate, calibrate, measure and fit; raise NotBetterThanBaseline."""
    recipe = recipe or load_recipe(TermRecipe, modality.id)
    cases = read_cases(rows, modality)
    options = {"folds": recipe.folds, "masks": recipe.masks, "seed": seed}
    curves: dict[str, list[MaskedScores]] = {
        name: score_masked(cases, fit, modality.codes, **options)
        for name, fit in candidates(recipe).items()
    }
    released, *others = curves
    calibration = pooled(curves[released], CALIBRATION_CELLS)
    rule = _rule(calibration, modality, recipe)
    curve = masking_curve(curves[released], rule, draws=draws)
    least = minimum_terms(curve, recipe.minimum_terms_accuracy)
    gate = pooled(curves[released], GATE_CELL)
    table = compare(gate, rule, modality, _baselines(gate), draws=draws)
    refuse_unless_better(table)
    smoothing = choose_smoothing(cases, recipe, seed)
    return TableParts(
        arch="multinomial_naive_bayes",
        columns=tuple(term.id for term in modality.vocabulary),
        decision=rule,
        estimators={TERMS: fit_naive_bayes(cases.present, cases.labels, smoothing)},
        extra={"minimum_terms": least},
        likelihood_ratios=likelihood_ratios(calibration, rule, modality),
        metrics={
            "out_of_fold": measure(gate, rule, modality, draws=draws),
            "masking": curve,
            "candidates": _compared(curves, rule, others),
            "baselines": {"part": "out_of_fold", "table": table},
            "calibration": {
                "part": "out_of_fold",
                "n": len(calibration),
                "groups": len(set(calibration.groups)),
                "operating_rule": OperatingRule("specificity", SPECIFICITY).describe(),
            },
        },
        config=asdict(recipe) | {"chosen_smoothing": smoothing, "specificity": SPECIFICITY},
    )


def _rule(calibration: Scored, modality: Modality, recipe: TermRecipe) -> DecisionRule:
    """Temperature, thresholds, sets and abstention from out-of-fold scores."""
    settings = CalibrationSettings(
        operating=OperatingRule("specificity", SPECIFICITY),
        accept=recipe.accept,
        coverage=recipe.coverage,
        fit_bias=False,
    )
    return fit_rule(calibration, modality, settings)


def _baselines(scored: Scored) -> dict[str, Any]:
    """Scores of the majority label, the same for every case."""
    return {"majority": np.tile(scored.truth.mean(axis=0), (len(scored), 1))}


def _compared(
    curves: dict[str, list[MaskedScores]], rule: DecisionRule, others: list[str]
) -> dict[str, list[dict[str, Any]]]:
    """The curves of the models that were not released, without intervals."""
    plain = replace(rule, temperature=(1.0,))
    table = {}
    for name in others:
        rows = masking_curve(curves[name], plain, draws=1)
        table[name] = [
            {
                "known": row["known"],
                "false": row["false"],
                "top1": row["top1"]["value"],
                "top3": row["top3"]["value"],
                "mean_confidence": row["mean_confidence"],
            }
            for row in rows
        ]
    return table
