"""The members that every answer of the earlier routes has in addition (DEV-02)."""

from __future__ import annotations

from typing import Any, Literal

from contracts.schemas import Message, Probability
from gateway.compat.asking import Accepted


class Model(Message):
    """The model file that answered."""

    name: str
    version: str


class Answer(Message):
    """Base of the answers: outcome, request, model and notice beside what the route says."""

    outcome: Literal["accepted"]
    request_id: str
    model: Model
    disclaimer: str


class FlaggedAnswer(Answer):
    """Base of the answers whose clients look for `success`."""

    success: Literal[True] = True


class Confident(Message):
    """A calibrated probability, as a number and as text."""

    confidence: Probability
    confidence_percent: str


def common(accepted: Accepted) -> dict[str, Any]:
    """Return the values of the members of `Answer`."""
    prediction = accepted.prediction
    return {
        "outcome": prediction.outcome.value,
        "request_id": prediction.request_id,
        "model": {"name": prediction.model.name, "version": prediction.model.version},
        "disclaimer": prediction.notice,
    }


def confidence(probability: float) -> dict[str, Any]:
    """Return the values of the members of `Confident`."""
    return {"confidence": rounded(probability), "confidence_percent": percent(probability)}


def rounded(probability: float) -> float:
    """Four decimals."""
    return round(probability, 4)


def percent(probability: float) -> str:
    """One decimal and a percent sign."""
    return f"{100 * probability:.1f}%"
