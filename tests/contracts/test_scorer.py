from dataclasses import replace

import pytest

from contracts.errors import BadCheckpoint
from contracts.estimator import SavedEstimator
from contracts.modality import DecisionRule
from contracts.registry import get_modality
from contracts.release import Release
from contracts.schemas import Outcome, Reason
from contracts.scorer import decide, scorer_of
from contracts.table_score import TableScore

HEART = get_modality("heart-risk")
RULE = DecisionRule("softmax", (1.0,), (), (0.0, 0.0), (0.5, 0.5), (0.1, 0.1), 2)
SCORE = TableScore((-0.1, -2.4), (), "disease", "no_disease", 0.0)


def test_without_a_reason_the_logits_decide():
    judgement = decide(SCORE, RULE, HEART)

    assert (judgement.outcome, judgement.label) == (Outcome.ACCEPTED, "no_disease")


def test_a_reason_found_before_the_model_takes_the_single_answer_away():
    reason = Reason(code="too_few_symptoms", message="Few.")

    judgement = decide(replace(SCORE, reasons=(reason,)), RULE, HEART)

    assert judgement.outcome is Outcome.ABSTAINED
    assert judgement.label is None
    assert judgement.reasons[0] is reason
    assert judgement.probabilities


@pytest.mark.parametrize(
    ("columns", "reason"),
    [(("age",), "columns"), (tuple(c.name for c in HEART.table.columns), "estimator")],
)
def test_a_file_whose_columns_or_estimators_do_not_fit_is_refused(columns, reason):
    release = Release("heart-risk", 1, "x", HEART.codes, RULE, columns=columns)

    with pytest.raises(BadCheckpoint, match=reason):
        scorer_of(SavedEstimator(release, {}, ()), HEART)
