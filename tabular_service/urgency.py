"""Band and next step of a tabular answer.

A red flag goes before any ranking. Otherwise a model with bands of probability in its file (heart
risk) is placed by the probability of its critical label, and any other one by the common rule.
"""

from __future__ import annotations

from contracts.findings import Judgement
from contracts.modality import Modality, TriageRow
from contracts.release import Release
from contracts.schemas import Triage
from contracts.table_score import TableScore
from contracts.triage import triage


def urgency(
    score: TableScore, judgement: Judgement, release: Release, modality: Modality
) -> Triage | None:
    """Return the most urgent row in play, or None where there is no table."""
    if score.flags:
        return _shown(score.flags[0].triage)
    bands = release.extra.get("bands")
    if not bands:
        return triage(judgement, modality)
    probability = judgement.probabilities[modality.critical[0]]
    band = [entry["band"] for entry in bands if probability >= entry["minimum"]][-1]
    row = next(row for row in modality.triage if row.band == band)
    return _shown(row)


def _shown(row: TriageRow) -> Triage:
    """The row as answers show it."""
    return Triage(band=row.band, next_step=row.next_step, timeline=row.timeline, source=row.source)
