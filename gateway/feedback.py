"""What people say of a prediction: agreement, a corrected label, a comment code from a closed list.

Append-only like the audit beside it, until both are pruned; the latest word counts in the export.
Free text has no place here, because people write names into it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TextIO

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.errors import AuditUnavailable, InvalidField, NotFound
from contracts.modality import Modality
from contracts.registry import MODALITIES, get_modality
from gateway.archive import AuditArchive
from gateway.database import STORE_ERRORS, Database
from gateway.moment import utc_now, utc_text
from gateway.tables import AUDIT_RECORDS, FEEDBACK

COLUMNS = (
    "input_sha256",
    "modality",
    "given_label",
    "corrected_label",
    "uncertainty",
    "comment_code",
)


class CommentCode(StrEnum):
    """Why somebody agrees or not."""

    MISSED_FINDING = "missed_finding"
    FALSE_FINDING = "false_finding"
    WRONG_CLASS = "wrong_class"
    IMAGE_QUALITY = "image_quality"
    ARTEFACT = "artefact"
    WRONGLY_REJECTED = "wrongly_rejected"
    ATYPICAL_CASE = "atypical_case"
    REFERENCE_UNCLEAR = "reference_unclear"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's word on one prediction; `corrected_label` joins several codes with `;`."""

    agree: bool
    corrected_label: str | None = None
    comment_code: CommentCode | None = None
    patient_hmac: str | None = None


@dataclass(frozen=True, slots=True)
class StoredOpinion:
    """An opinion as kept, with its number and time (UTC text)."""

    feedback_id: int
    prediction_id: str
    time: str
    opinion: Opinion


class FeedbackStore:
    """The opinions beside the audit of one database."""

    def __init__(
        self,
        database: Database,
        archive: AuditArchive,
        *,
        now: Callable[[], datetime] = utc_now,
        modalities: tuple[Modality, ...] = MODALITIES,
    ) -> None:
        """Owns none of these."""
        self._database = database
        self._archive = archive
        self._now = now
        self._modalities = modalities

    async def add(self, prediction_id: str, caller: str, opinion: Opinion) -> StoredOpinion:
        """Store an opinion on a prediction of this caller.

        Raises NotFound (404) for any other prediction, InvalidField (422) for a label that the
        modality does not have, and AuditUnavailable (503) when the store cannot write.
        """
        record = await self._archive.find_prediction(prediction_id)
        if record is None or record.caller != caller:
            raise NotFound("There is no such prediction of this key.", code="unknown_prediction")
        modality = get_modality(json.loads(record.body)["entry"]["modality"], self._modalities)
        check_opinion(opinion, modality)
        time = utc_text(self._now())
        row = {
            "prediction_id": prediction_id,
            "time": time,
            "caller": caller,
            "agree": opinion.agree,
            "corrected_label": opinion.corrected_label,
            "comment_code": opinion.comment_code,
            "patient_hmac": opinion.patient_hmac,
        }
        try:
            async with self._database.writing() as connection:
                result = await connection.execute(insert(FEEDBACK).returning(FEEDBACK.c.id), row)
                feedback_id: int = result.scalar_one()
        except STORE_ERRORS as error:
            raise AuditUnavailable(
                "The feedback cannot be stored at the moment.", retry_after_seconds=1
            ) from error
        return StoredOpinion(feedback_id, prediction_id, time, opinion)

    async def prune(self, before: str) -> int:
        """Delete the opinions older than `before` (UTC text) and return how many."""
        async with self._database.writing() as connection:
            result = await connection.execute(delete(FEEDBACK).where(FEEDBACK.c.time < before))
            return result.rowcount

    async def export(self, stream: TextIO, *, everything: bool = False) -> int:
        """Write the CSV for retraining and return the number of rows.

        One row per prediction with its latest opinion; with `everything` also the predictions
        nobody commented on, for choosing uncertain cases to label. `given_label` is empty where
        somebody disagreed without naming a better label: then nothing is known to be true.
        """
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        count = 0
        async with self._database.reading() as connection:
            async for cells in _export_rows(connection, everything=everything):
                writer.writerow(cells)
                count += 1
        return count


def check_opinion(opinion: Opinion, modality: Modality) -> None:
    """Raise InvalidField unless the label fits the modality and the agreement."""
    if opinion.corrected_label is None:
        return
    if opinion.agree:
        raise InvalidField("Agreement has no corrected label.", field="corrected_label")
    labels = opinion.corrected_label.split(";")
    several = modality.activation == "sigmoid"
    known = set(labels) <= set(modality.codes) and len(labels) == len(set(labels))
    if not known or (len(labels) > 1 and not several):
        joined = ", several joined with ';'" if several else ""
        raise InvalidField(
            f"The label is one of {', '.join(modality.codes)}{joined}.", field="corrected_label"
        )


def uncertainty_of(entry: dict[str, object]) -> float:
    """Return how unsure an answer was, 0–1: 1 − the top probability; per label for findings.

    Labels that exclude each other: 1 minus the highest. Independent ones: twice the smaller side
    of the one closest to one half. An answer without scores was as unsure as can be.
    """
    answer = entry["answer"]
    scores = answer.get("probabilities", {}) if isinstance(answer, dict) else {}
    probabilities = [float(score) for score in scores.values()]
    if not probabilities:
        return 1.0
    if abs(sum(probabilities) - 1.0) < 1e-3:
        return 1.0 - max(probabilities)
    return 2.0 * max(min(p, 1.0 - p) for p in probabilities)


def given_label(entry: dict[str, object]) -> str:
    """Return the label that was given; several findings above their threshold, joined with `;`."""
    answer = entry["answer"]
    if not isinstance(answer, dict):
        return ""
    if answer.get("label"):
        return str(answer["label"])
    thresholds = answer.get("thresholds", {})
    if entry["outcome"] != "accepted":
        return ""
    scores = answer.get("probabilities", {})
    return ";".join(code for code, p in scores.items() if p >= thresholds.get(code, 2.0))


async def _export_rows(
    connection: AsyncConnection, *, everything: bool
) -> AsyncIterator[Sequence[str]]:
    """Yield the rows in order of the audit."""
    latest = select(func.max(FEEDBACK.c.id)).group_by(FEEDBACK.c.prediction_id)
    joined = AUDIT_RECORDS.join(
        FEEDBACK,
        (FEEDBACK.c.prediction_id == AUDIT_RECORDS.c.prediction_id)
        & FEEDBACK.c.id.in_(latest.scalar_subquery()),
        isouter=everything,
    )
    statement = (
        select(
            AUDIT_RECORDS.c.body,
            FEEDBACK.c.agree,
            FEEDBACK.c.corrected_label,
            FEEDBACK.c.comment_code,
        )
        .select_from(joined)
        .where(AUDIT_RECORDS.c.prediction_id.is_not(None))
        .order_by(AUDIT_RECORDS.c.seq)
    )
    result = await connection.stream(statement)
    async for row in result:
        entry = json.loads(row.body)["entry"]
        unnamed = row.agree is False and not row.corrected_label
        yield (
            entry["input_sha256"],
            entry["modality"],
            "" if unnamed else given_label(entry),
            row.corrected_label or "",
            f"{uncertainty_of(entry):.6f}",
            row.comment_code or "",
        )
