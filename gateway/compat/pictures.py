"""The answers of the routes /analyze/…: what the earlier clients read, and what is added.

`staging` is always null and `treatment_options` always empty: a picture stages and treats nobody.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contracts.schemas import Finding, Message, Probability
from gateway.compat.advice import (
    BriefRecommendations,
    ColouredUrgency,
    Level,
    Recommendations,
    Urgency,
)
from gateway.compat.answer import Confident, FlaggedAnswer


class NamedClass(Confident):
    """The single answer by name."""

    name: str


class NumberedClass(NamedClass):
    """The single answer; `class_id` is its position among the labels of the modality."""

    class_id: int


class SkinClass(NumberedClass):
    """The single answer; `type` is benign, pre-cancerous or malignant."""

    type: str


class BreastClass(NumberedClass):
    """The single answer with the estimated category."""

    birads: str


class RankedClass(Message):
    """One of the most probable classes."""

    name: str
    confidence: Probability


class SkinAnswer(FlaggedAnswer):
    """Answer of /analyze/skin."""

    prediction: SkinClass
    staging: None = None
    severity: Level
    urgency: ColouredUrgency
    treatment_options: list[str] = Field(default_factory=list, max_length=0)
    all_predictions: list[RankedClass]
    recommendations: Recommendations
    prediction_set: list[str]
    malignant_or_premalignant: Probability | None


class HeartAnswer(FlaggedAnswer):
    """Answer of /analyze/heart."""

    prediction: NumberedClass
    staging: None = None
    severity: Level
    urgency: ColouredUrgency
    treatment_options: list[str] = Field(default_factory=list, max_length=0)
    findings: list[Finding]


class BreastAnswer(FlaggedAnswer):
    """Answer of /analyze/breast."""

    prediction: BreastClass
    severity: Level
    staging: None = None
    recommendations: BriefRecommendations
    malignancy_probability: Probability
    birads_is_estimate: Literal[True] = True


class ChestAnswer(FlaggedAnswer):
    """Answer of /analyze/xray."""

    prediction: NamedClass
    severity: Level
    urgency: Urgency
    recommendations: list[str]
