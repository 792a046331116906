"""Where age, blood pressure and cholesterol lie among the bands of a guideline.

Beside the probability, not part of it: the model weighs all factors together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from contracts.schemas import Message
from contracts.tables import Json

_ATP3 = (
    "Third Report of the National Cholesterol Education Program (ATP III), "
    "Circulation 2002;106:3143–3421"
)
_ESC = (
    "2024 ESC Guidelines for elevated blood pressure and hypertension, "
    "Eur Heart J 2024;45:3912–4018"
)
#: Age in years from which it counts as a major risk factor (ATP III).
_AGE = {"male": 45, "female": 55}
#: Systolic pressure in mmHg: elevated from 120, hypertension from 140.
_PRESSURE = (120, 140)
#: Total cholesterol in mg/dl: borderline high from 200, high from 240.
_CHOLESTEROL = (200, 240)


class RiskFactor(Message):
    """One factor: the value that was sent, its band, and whose band that is."""

    value: float | int
    risk: Literal["low", "moderate", "high"]
    source: str


def risk_factors(row: Mapping[str, Json]) -> dict[str, RiskFactor]:
    """Return the bands of a complete row in the names of /v1 that the service has accepted."""
    age = _number(row, "age")
    pressure = _number(row, "blood_pressure")
    cholesterol = _number(row, "cholesterol")
    older = age >= _AGE[str(row["sex"])]
    return {
        "age": RiskFactor(value=age, risk="moderate" if older else "low", source=_ATP3),
        "blood_pressure": RiskFactor(value=pressure, risk=_band(pressure, _PRESSURE), source=_ESC),
        "cholesterol": RiskFactor(
            value=cholesterol, risk=_band(cholesterol, _CHOLESTEROL), source=_ATP3
        ),
    }


def _band(value: float, limits: tuple[int, int]) -> Literal["low", "moderate", "high"]:
    """Place a value among two limits."""
    if value >= limits[1]:
        return "high"
    return "moderate" if value >= limits[0] else "low"


def _number(row: Mapping[str, Json], name: str) -> float | int:
    """Return a number of the row; TypeError for anything else."""
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} is no number")
    return value
