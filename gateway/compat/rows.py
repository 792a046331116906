"""The answers of the routes that take JSON: what the earlier clients read, and what is added."""

from __future__ import annotations

from typing import Literal

from contracts.schemas import Message, Probability, Unrecognised
from gateway.compat.advice import Level
from gateway.compat.answer import Confident, FlaggedAnswer
from gateway.compat.risk_factors import RiskFactor


class Symptom(Message):
    """One symptom: its id, its name, and other words that are understood."""

    id: str
    name: str
    synonyms: list[str]


class Symptoms(Message):
    """Answer of /symptoms."""

    success: Literal[True] = True
    symptoms: list[str]
    """The ids that /predict-disease understands."""
    items: list[Symptom]


class Disease(Confident):
    """The most probable disease."""

    disease: str


class RankedDisease(Message):
    """One of the most probable diseases."""

    disease: str
    probability: Probability


class DiseaseAnswer(FlaggedAnswer):
    """Answer of /predict-disease."""

    prediction: Disease
    top_predictions: list[RankedDisease]
    symptoms_analyzed: list[str]
    """The ids that were understood."""
    symptoms_unrecognised: list[Unrecognised]
    recommendations: list[str]


class HeartRisk(Message):
    """Probability of angiographic disease in a referred patient, and its band in words."""

    condition: str
    risk_level: str
    probability: Probability
    confidence_percent: str


class HeartRiskAnswer(FlaggedAnswer):
    """Answer of /predict-heart."""

    prediction: HeartRisk
    risk_factors: dict[str, RiskFactor]
    severity: Level
    recommendations: list[str]
