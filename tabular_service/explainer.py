"""Exact contribution of each input, on the scale of the calibrated log-odds.

The models are linear in log-odds, so nothing is approximated: with the baseline, the
contributions add up to the log-odds of the target that the probabilities show.
"""

from __future__ import annotations

from contracts.modality import DecisionRule
from contracts.schemas import Contribution, Explanation, Prediction
from contracts.table_score import TableScore


def calibrated_contributions(score: TableScore, rule: DecisionRule) -> list[Contribution]:
    """Return the contributions divided by the temperature."""
    return [
        entry.model_copy(update={"contribution": entry.contribution / rule.temperature[0]})
        for entry in score.contributions
    ]


def explain(prediction: Prediction, score: TableScore, rule: DecisionRule) -> Explanation:
    """Return the evidence: target, what it is weighed against, baseline and sum."""
    baseline = score.baseline / rule.temperature[0]
    total = baseline + sum(entry.contribution for entry in prediction.contributions)
    return Explanation(
        prediction=prediction,
        kind="contributions",
        target=score.target,
        checks={
            "against": score.against,
            "baseline_log_odds": baseline,
            "log_odds": total,
        },
    )
