"""RowAnswer: what the serving code answers on one labelled input, scores kept in any case."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.errors import ServiceError
from contracts.findings import Judgement
from contracts.schemas import Outcome, Reason
from training.manifest import Row

#: The outcome of an input that a service would refuse with an error.
ERROR = "error"


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """One row of an evaluation.

    `outcome` is accepted, abstained, rejected or error; `reasons` and `warnings` are codes.
    `logits` are there unless the outcome is error, also where a service would give no scores.
    """

    row: Row
    outcome: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    logits: tuple[float, ...] | None = None
    label: str | None = None
    prediction_set: tuple[str, ...] = ()


def error_answer(row: Row, error: ServiceError) -> RowAnswer:
    """The answer on an input that cannot be read."""
    return RowAnswer(row, ERROR, (error.code,))


def judged_answer(
    row: Row,
    judgement: Judgement,
    logits: tuple[float, ...],
    *,
    rejections: tuple[Reason, ...] = (),
    doubts: tuple[Reason, ...] = (),
    warnings: tuple[Reason, ...] = (),
) -> RowAnswer:
    """Join the decision with the checks of the input: a rejection ends it, a doubt abstains."""
    reasons = rejections or (*judgement.reasons, *doubts)
    outcome = judgement.outcome
    if rejections:
        outcome = Outcome.REJECTED
    elif doubts:
        outcome = Outcome.ABSTAINED
    return RowAnswer(
        row=row,
        outcome=outcome.value,
        reasons=tuple(reason.code for reason in reasons),
        warnings=tuple(warning.code for warning in warnings),
        logits=logits,
        label=judgement.label if outcome is Outcome.ACCEPTED else None,
        prediction_set=judgement.prediction_set,
    )
