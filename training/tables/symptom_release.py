"""From prepared cases to everything that the symptom model's file says."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from contracts.modality import DecisionRule, Modality
from contracts.term_scorer import TERMS
from training.manifest import Row
from training.measure import conformal
from training.measure.baselines import compare, refuse_unless_better
from training.measure.bootstrap import DRAWS, Array
from training.measure.document import measure
from training.measure.likelihood import likelihood_ratios
from training.measure.scaling import fit_softmax
from training.measure.scored import Scored, probabilities_of
from training.metrics import Bools
from training.tables.config import RecipeSource, TermRecipe, load_recipe
from training.tables.masking import MaskedScores, masking_curve, minimum_terms, pooled, score_masked
from training.tables.parts import TableParts
from training.tables.symptom_model import candidates, choose_smoothing, fit_naive_bayes, read_cases

#: Cells (true, false symptoms) on which the rule is fitted: what a caller who gets a single
#: answer enters, now and then with a symptom that does not belong.
CALIBRATION_CELLS = ((3, 0), (4, 0), (5, 0), (6, 0), (4, 1))
GATE_CELL = ((3, 0),)


def build_symptoms(
    modality: Modality,
    rows: tuple[Row, ...],
    *,
    seed: int,
    source: RecipeSource,
    draws: int = DRAWS,
) -> TableParts:
    """Cross-validate, calibrate, measure and fit; raise NotBetterThanBaseline."""
    recipe = load_recipe(TermRecipe, modality.id, source)
    cases = read_cases(rows, modality)
    options = {"folds": recipe.folds, "masks": recipe.masks, "seed": seed}
    curves: dict[str, list[MaskedScores]] = {
        name: score_masked(cases, fit, modality.codes, **options)
        for name, fit in candidates(recipe).items()
    }
    released, *others = curves
    calibration = pooled(curves[released], CALIBRATION_CELLS)
    gate = pooled(curves[released], GATE_CELL)
    rule = fit_differential(calibration, gate, modality, recipe)
    curve = masking_curve(curves[released], rule, draws=draws)
    least = minimum_terms(curve, recipe.minimum_terms_accuracy)
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
            "out_of_fold": _of_all_labels(measure(gate, rule, modality, draws=draws)),
            "masking": curve,
            "candidates": _compared(curves, rule, others),
            "baselines": {"part": "out_of_fold", "table": table},
            "calibration": {
                "part": "out_of_fold",
                "n": len(calibration),
                "groups": len(set(calibration.groups)),
                "operating_rule": f"in the prediction set at coverage {recipe.coverage:g}",
            },
        },
        config=asdict(recipe) | {"chosen_smoothing": smoothing},
        out_of_fold=gate,
    )


def fit_differential(
    calibration: Scored, gate: Scored, modality: Modality, recipe: TermRecipe
) -> DecisionRule:
    """Return the rule of a ranked differential, from out-of-fold scores.

    A label belongs to the differential, and counts as positive, from the bound that keeps it
    there at the stated coverage, and in any case from `always_listed`. There is a single answer
    from the lowest top probability above which lists as short as `gate`'s are answered with the
    stated accuracy.
    """
    temperature, _ = fit_softmax(calibration.logits, calibration.truth, with_bias=False)
    size = len(modality.labels)
    rule = DecisionRule(
        activation="softmax",
        temperature=(temperature,),
        bias=(0.0,) * size,
        shift=(0.0,) * size,
        thresholds=(0.5,) * size,
        set_minimum=(0.0,) * size,
        max_set_size=size,
        coverage=recipe.coverage,
    )
    probabilities = probabilities_of(calibration.logits, rule)
    own = conformal.class_minimums(probabilities, calibration.truth, recipe.coverage)
    bounds = tuple(min(bound, recipe.always_listed) for bound in own)
    return replace(
        rule,
        thresholds=bounds,
        set_minimum=bounds,
        min_probability=_lowest_answered(
            probabilities_of(gate.logits, rule), gate.truth, recipe.answer_accuracy
        ),
    )


def _lowest_answered(probabilities: Array, truth: Bools, accuracy: float) -> float:
    """The lowest top probability down to which the answers are right often enough."""
    top = probabilities.max(axis=1)
    right = truth[np.arange(len(top)), probabilities.argmax(axis=1)]
    order = np.argsort(-top, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(top) + 1)
    reached = np.flatnonzero(share >= accuracy)
    if not len(reached):
        raise ValueError("no answer reaches the stated accuracy")
    return float(top[order][reached[-1]])


def _of_all_labels(figures: dict[str, Any]) -> dict[str, Any]:
    """Leave out what 41 labels would bring one by one: a card must stay readable."""
    kept = {key: value for key, value in figures.items() if key != "confusion"}
    for part in ("all", "accepted"):
        kept[part] = {
            name: value
            for name, value in figures[part].items()
            if name.partition(".")[2] in ("", "macro", "weighted")
        }
    return kept


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
