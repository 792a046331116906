"""From one answer to one page: pure, the same for both printers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.modality import Modality
from contracts.schemas import Explanation, ModelInfo
from gateway.about import NAME, VERSION
from gateway.client import Picture
from gateway.report.answer import answer_of, bar_notes_of, bars_of, next_step_of
from gateway.report.evidence import (
    figures_of,
    is_wide,
    swing_note_of,
    swings_of,
    withheld_of,
)
from gateway.report.facts import facts_of, measured_of, model_of, record_of
from gateway.report.page import Page
from gateway.report.words import say


@dataclass(frozen=True, slots=True)
class Case:
    """What the service gave: `info` is None when it is not of the model that answered."""

    modality: Modality
    explanation: Explanation
    picture: Picture | None
    info: ModelInfo | None


def compose(
    case: Case, *, titles: Mapping[str, str], reference: str | None, made: datetime
) -> Page:
    """Return the page of one answer.

    `titles` has the title of each modality by id; `reference` is the caller's for the patient.
    """
    explanation, modality, info = case.explanation, case.modality, case.info
    prediction = explanation.prediction
    coverage = info.decision.get("coverage") if info is not None else None
    measured, measured_note = measured_of(prediction, modality, info)
    return Page(
        title=modality.title,
        made=made.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        reference=reference or "",
        notice=prediction.notice,
        answer=answer_of(prediction, modality, titles),
        next_step=next_step_of(prediction),
        bars=bars_of(prediction, modality),
        bar_notes=bar_notes_of(prediction, modality, coverage),
        swings=swings_of(explanation, modality),
        swing_note=swing_note_of(explanation, modality),
        figures=figures_of(explanation, case.picture, modality),
        figure_note=withheld_of(explanation) if modality.is_image else "",
        wide=is_wide(modality),
        facts=facts_of(prediction, modality),
        model=model_of(prediction, modality, info),
        measured=measured,
        measured_note=measured_note,
        record=record_of(prediction),
        limits=say("limits"),
        foot=say("foot", name=NAME, version=VERSION),
    )
