"""An input that gets no answer is a problem here, as earlier clients know no refusal.

A client that takes everything but `PNEUMONIA` for a clear film must not read a refusal as one.
"""

from __future__ import annotations

from contracts.errors import ServiceError
from contracts.modality import Modality
from contracts.schemas import Outcome, Prediction

_TITLES = {
    "out_of_distribution": "Unlike the data this model was made for",
    "red_flag": "Get emergency help now",
    "too_few_symptoms": "Too few known symptoms",
}
_BY_OUTCOME = {
    Outcome.ABSTAINED: "No single answer",
    Outcome.REJECTED: "Input refused",
}


class NoAnswer(ServiceError):
    """The outcome is `abstained` or `rejected`; the first reason names the problem."""

    status = 422

    def __init__(self, prediction: Prediction, modality: Modality) -> None:
        """Raises IndexError for a prediction without reasons."""
        first = prediction.reasons[0]
        super().__init__(" ".join(reason.message for reason in prediction.reasons), code=first.code)
        self.title = _title(first.code, prediction.outcome, modality)
        looks_like = {} if first.looks_like is None else {"looks_like": first.looks_like}
        self.members = {
            "outcome": prediction.outcome.value,
            "reasons": [reason.code for reason in prediction.reasons],
            **looks_like,
        }


def _title(code: str, outcome: Outcome, modality: Modality) -> str:
    """Return the title of a reason; reasons without one of their own share that of the outcome."""
    if code == "wrong_modality":
        return f"Not recognised as: {modality.title}"
    return _TITLES.get(code, _BY_OUTCOME[outcome])
