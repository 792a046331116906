"""Put one answer together from a score: decision, triage, contributions, warnings."""

from __future__ import annotations

import hashlib

from contracts.findings import Judgement
from contracts.modality import JSON, RedFlag
from contracts.schemas import (
    InputFacts,
    Outcome,
    PostTest,
    Prediction,
    Reason,
)
from contracts.scorer import decide
from contracts.table_score import TableScore
from tabular_service.explainer import calibrated_contributions
from tabular_service.model import TabularModel
from tabular_service.urgency import urgency


def answer(
    payload: bytes,
    score: TableScore,
    model: TabularModel,
    *,
    request_id: str,
    prevalence: float | None,
) -> Prediction:
    """Return the answer of one scored document."""
    release, modality = model.release, model.modality
    judgement = decide(score, release.decision, modality)
    flags = [_flag(flag) for flag in score.flags]
    accepted = judgement.outcome is Outcome.ACCEPTED
    return Prediction(
        request_id=request_id,
        modality=modality.id,
        outcome=judgement.outcome,
        reasons=[*([] if accepted else flags), *judgement.reasons],
        label=judgement.label,
        probabilities=judgement.probabilities,
        findings=list(judgement.findings),
        prediction_set=list(judgement.prediction_set),
        derived=judgement.derived,
        post_test=_post_test(judgement, model, prevalence),
        measurements=dict(score.measurements),
        contributions=calibrated_contributions(score, release.decision),
        symptoms_recognised=list(score.recognised),
        symptoms_unrecognised=list(score.unrecognised),
        triage=urgency(score, judgement, release, modality),
        warnings=[*flags, *score.warnings],
        model=model.reference,
        input=InputFacts(sha256=hashlib.sha256(payload).hexdigest(), media_type=JSON),
        notice=modality.notice,
    )


def _flag(flag: RedFlag) -> Reason:
    """A red flag as a warning: what it may mean and what to do now."""
    return Reason(code="red_flag", message=flag.message)


def _post_test(
    judgement: Judgement, model: TabularModel, prevalence: float | None
) -> list[PostTest]:
    """Bayes in odds for each critical label, from the ratios in the model file."""
    if prevalence is None:
        return []
    positive = {finding.label: finding.positive for finding in judgement.findings}
    found = []
    for label in model.modality.critical:
        ratios = model.release.likelihood_ratios.get(label)
        if ratios is None:
            continue
        ratio = ratios["positive" if positive[label] else "negative"]
        odds = prevalence / (1 - prevalence) * ratio
        found.append(
            PostTest(
                label=label,
                prevalence=prevalence,
                probability=odds / (1 + odds),
                likelihood_ratio=ratio,
            )
        )
    return found
