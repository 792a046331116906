"""From a judgement to band and next step, by the reviewed table of the modality.

Never lower than the most severe label that cannot be excluded, never low when undecided. A row
says who should look and when; it never stages, predicts the course, treats or reassures.
"""

from __future__ import annotations

from contracts.findings import Judgement
from contracts.modality import Modality, TriageRow
from contracts.schemas import Outcome, Triage

BANDS = ("low", "moderate", "high", "urgent")

UNDECIDED = TriageRow(
    label="",
    band="moderate",
    next_step="Have the case read by a qualified person. There is no single answer, and this "
    "does not exclude disease.",
    timeline="at the next reading session, sooner with symptoms",
    source="Rule of this software: an undecided case is never placed in the lowest band.",
)


def triage(judgement: Judgement, modality: Modality) -> Triage | None:
    """Return the row of the most severe label in play, or None where there is no table.

    In play are the single answer, every positive finding and every label of the prediction set.
    """
    in_play = {*judgement.prediction_set}
    in_play |= {finding.label for finding in judgement.findings if finding.positive}
    if judgement.label is not None:
        in_play.add(judgement.label)
    rows = [row for row in modality.triage if row.label in in_play]
    if modality.triage and judgement.outcome is not Outcome.ACCEPTED:
        rows.append(UNDECIDED)
    if not rows:
        return None
    worst = max(rows, key=lambda row: BANDS.index(row.band))
    return Triage(
        band=worst.band,
        next_step=worst.next_step,
        timeline=worst.timeline,
        source=worst.source,
    )
