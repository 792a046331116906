"""From prepared rows to everything that the heart model's file says."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from contracts.modality import DecisionRule, Modality
from training.calibrate import CalibrationSettings, fit_rule
from training.manifest import Row
from training.measure.baselines import compare, refuse_unless_better
from training.measure.bootstrap import DRAWS, Array
from training.measure.document import measure
from training.measure.likelihood import likelihood_ratios
from training.measure.operating_point import OperatingRule
from training.measure.scored import Scored, scored_from
from training.tables.config import ColumnRecipe, RecipeSource, load_recipe
from training.tables.heart_figures import Study, bands_of, hospital_figures, repeated_figures
from training.tables.heart_model import ColumnCases, HeartModel, fit_heart, read_columns
from training.tables.heart_validation import OutOfFold, age_and_sex, choose_setting, nested
from training.tables.parts import TableParts


def build_heart(
    modality: Modality,
    rows: tuple[Row, ...],
    *,
    seed: int,
    source: RecipeSource,
    draws: int = DRAWS,
) -> TableParts:
    """Cross-validate, calibrate, measure and fit; raise NotBetterThanBaseline."""
    recipe = load_recipe(ColumnRecipe, modality.id, source)
    spec = modality.table
    if spec is None:
        raise ValueError("the modality has no columns")
    cases = read_columns(rows, modality)
    folded = nested(cases, spec, recipe, seed)
    both = _both_views(folded, modality)
    rule = _rule(both, modality, recipe)
    full = _scored(folded.cases, folded.full[0], modality)
    seven = _scored(folded.cases, folded.seven[0], modality)
    study = Study(cases, spec, recipe, seed, draws)
    table = _compared(full, rule, modality, replace(study, cases=folded.cases))
    refuse_unless_better(table)
    setting = choose_setting(cases, spec, recipe, seed)
    model = fit_heart(cases, spec, setting, home=recipe.home, masks=recipe.masks, seed=seed)
    return TableParts(
        arch="logistic_regression",
        columns=tuple(column.name for column in spec.columns),
        decision=rule,
        estimators={name: block.pipeline for name, block in model.blocks.items()},
        extra={"blocks": _blocks(model), "bands": bands_of(both, rule)},
        likelihood_ratios=likelihood_ratios(both, rule, modality),
        metrics={
            "out_of_fold": measure(full, rule, modality, draws=draws),
            "required_only": measure(seven, rule, modality, draws=draws),
            "repeats": repeated_figures(folded),
            "hospitals": hospital_figures(study),
            "baselines": {"part": "out_of_fold", "table": table},
            "calibration": {
                "part": "out_of_fold",
                "n": len(both),
                "groups": len(set(both.groups)),
                "operating_rule": OperatingRule(
                    "sensitivity", recipe.minimum_sensitivity
                ).describe(),
            },
        },
        config=asdict(recipe) | {"chosen": asdict(setting)},
        out_of_fold=full,
    )


def _compared(full: Scored, rule: DecisionRule, modality: Modality, study: Study) -> dict[str, Any]:
    """The lead over the majority and over age and sex alone."""
    baselines = {
        "majority": np.tile(full.truth.mean(axis=0), (len(full), 1)),
        "age and sex": age_and_sex(study.cases, study.spec, study.recipe, study.seed),
    }
    return compare(full, rule, modality, baselines, draws=study.draws)


def _rule(both: Scored, modality: Modality, recipe: ColumnRecipe) -> DecisionRule:
    """The rule from out-of-fold scores with all and with the seven columns.

    The answer is a probability, so no case is abstained from; the prediction set says when
    neither label can be excluded.
    """
    settings = CalibrationSettings(
        operating=OperatingRule("sensitivity", recipe.minimum_sensitivity),
        accept=1.0,
        coverage=recipe.coverage,
        fit_bias=False,
    )
    rule = fit_rule(both, modality, settings)
    return replace(rule, max_set_size=len(modality.labels), min_probability=0.0)


def _scored(cases: ColumnCases, log_odds: Array, modality: Modality) -> Scored:
    """Two log-probabilities per row."""
    logits = np.column_stack([-np.logaddexp(0.0, log_odds), -np.logaddexp(0.0, -log_odds)])
    return scored_from(cases.rows, logits, modality)


def _both_views(folded: OutOfFold, modality: Modality) -> Scored:
    """Every home row twice: with all columns and with the seven."""
    parts = [
        _scored(folded.cases, log_odds, modality) for log_odds in (folded.full[0], folded.seven[0])
    ]
    rows = tuple(
        replace(row, id=f"{row.id}/{view}", group=row.group or row.id)
        for view, part in enumerate(parts)
        for row in part.rows
    )
    return Scored(
        rows,
        np.concatenate([part.logits for part in parts]),
        np.concatenate([part.truth for part in parts]),
    )


def _blocks(model: HeartModel) -> dict[str, dict[str, Any]]:
    """What the scorer needs beside the pipelines."""
    return {
        name: {
            "columns": list(block.columns),
            "sources": list(block.sources),
            "reference": [float(value) for value in block.reference],
        }
        for name, block in model.blocks.items()
    }
