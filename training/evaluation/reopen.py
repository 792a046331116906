"""Reopen: evaluating a model on the very test set that it was held apart from.

Any other manifest is evaluated freely. The model's own test set is opened once: by the export,
or here with a reason. Looking again at a logged pair shows nothing new and is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from contracts.release import Release
from training.manifest import TEST, Manifest, Row
from training.measure.scored import set_digest
from training.release.openings import Opening, append_opening, find_opening
from training.release.plain import plain_values
from training.release.provenance import git_commit


def may_open(
    release: Release, manifest: Manifest, rows: Sequence[Row], reason: str, log: Path
) -> bool:
    """Return whether this look must be logged.

    Raises ValueError when it is the first look at the model's own test set and has no reason.
    """
    if manifest.sha256 != release.provenance.get("manifest_sha256"):
        return False
    tested = [row for row in rows if row.split == TEST]
    if not tested or find_opening(set_digest(tested), _weights(release), log) is not None:
        return False
    if not reason:
        raise ValueError(
            "this is the model's own test set, which was not opened yet: give a reason, "
            "and the look will be logged"
        )
    return True


def log_opening(
    release: Release,
    manifest: Manifest,
    rows: Sequence[Row],
    metrics: dict[str, Any],
    reason: str,
    log: Path,
) -> None:
    """Append the row of a look that `may_open` allowed."""
    opening = Opening(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        commit=git_commit(),
        recipe_sha256=str(release.provenance.get("recipe_sha256", "")),
        weights_sha256=(_weights(release),),
        set_id=f"{release.modality}/{TEST}",
        set_sha256=set_digest([row for row in rows if row.split == TEST]),
        manifest_sha256=manifest.sha256,
        rule=plain_values(asdict(release.decision)),
        metrics=plain_values(metrics),
        reason=reason,
    )
    append_opening(opening, log)


def _weights(release: Release) -> str:
    """The digest that names the model."""
    return str(release.provenance.get("weights_sha256", release.sha256))
