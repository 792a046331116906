"""The page as data: every text already in words, every bar already a share, for both printers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model says, in words; `reasons` say why there is no single answer."""

    outcome: str
    status: str
    headline: str
    meaning: tuple[str, ...]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bar:
    """One label: `share` and `threshold` from 0 to 1; a threshold of None is not drawn."""

    name: str
    value: str
    share: float
    threshold: float | None
    marks: tuple[str, ...]
    strong: bool


@dataclass(frozen=True, slots=True)
class Swing:
    """One factor: what was given, and its pull from -1 (against) to 1 (towards)."""

    name: str
    given: str
    value: str
    share: float


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do; `band` is empty where there is no answer to place."""

    band: str
    band_text: str
    step: str
    timeline: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One picture, PNG; `width` and `height` are the sides of the frame that it fills."""

    png: bytes
    width: int
    height: int
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Row:
    """One fact. `code` marks hashes and ids."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of the model's card with its interval; an empty interval was not measured."""

    name: str
    value: str
    interval: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that stands on the page, in its order. `wide` pictures take the whole width."""

    title: str
    made: str
    reference: str
    notice: str
    answer: Answer
    next_step: NextStep | None
    bars: tuple[Bar, ...]
    bar_notes: tuple[str, ...]
    swings: tuple[Swing, ...]
    swing_note: str
    figures: tuple[Figure, ...]
    figure_note: str
    wide: bool
    facts: tuple[Row, ...]
    model: tuple[Row, ...]
    measured: tuple[Measured, ...]
    measured_note: str
    record: tuple[Row, ...]
    limits: str
    foot: str
