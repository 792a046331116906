"""Severity, urgency and recommendations: the reviewed triage row in the words of earlier clients.

Nothing is added to the row: no reassurance, no treatment, no stage of a disease. The lowest
severity is `low`; a picture without a finding is never called healthy.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from contracts.schemas import Message, Prediction, Triage
from gateway.compat.asking import bad_answer

Level: TypeAlias = Literal["low", "moderate", "high", "urgent"]

_COLOURS: dict[Level, str] = {
    "low": "green",
    "moderate": "yellow",
    "high": "orange",
    "urgent": "red",
}
_TITLES: dict[Level, str] = {
    "low": "Routine review",
    "moderate": "Review soon",
    "high": "Prompt review",
    "urgent": "Urgent review",
}


class Urgency(Message):
    """How soon somebody should look, and who."""

    timeline: str
    action: str


class ColouredUrgency(Urgency):
    """The same with the colour that a page may use: green, yellow, orange or red."""

    color: str


class BriefRecommendations(Message):
    """Next step with its source."""

    level: Level
    title: str
    actions: list[str]
    source: str


class Recommendations(BriefRecommendations):
    """Next step with its source and when."""

    message: str


def triage_of(prediction: Prediction) -> Triage:
    """Return the triage row; UpstreamUnavailable (502) when the service sent none."""
    if prediction.triage is None:
        raise bad_answer()
    return prediction.triage


def urgency_of(triage: Triage) -> Urgency:
    """Return timeline and action."""
    return Urgency(timeline=triage.timeline, action=triage.next_step)


def coloured_urgency_of(triage: Triage) -> ColouredUrgency:
    """Return timeline, action and colour."""
    return ColouredUrgency(
        timeline=triage.timeline, action=triage.next_step, color=_COLOURS[triage.band]
    )


def brief_recommendations_of(triage: Triage) -> BriefRecommendations:
    """Return level, title, action and source."""
    return BriefRecommendations(
        level=triage.band,
        title=_TITLES[triage.band],
        actions=[triage.next_step],
        source=triage.source,
    )


def recommendations_of(triage: Triage) -> Recommendations:
    """Return level, title, message, action and source."""
    brief = brief_recommendations_of(triage)
    return Recommendations(**brief.model_dump(), message=f"When: {triage.timeline}.")


def recommendation_list_of(triage: Triage) -> list[str]:
    """Return next step, time and source as sentences."""
    return [triage.next_step, f"When: {triage.timeline}.", f"Source: {triage.source}."]
