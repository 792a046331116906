"""Fit quality: the limits of the cheap image measures, from the training part."""

from __future__ import annotations

from contracts.decoder import decode_input
from contracts.images import reduced_side, to_canonical
from contracts.modality import QualityLimits
from contracts.quality import fit_limits, measure
from training.manifest import TRAIN
from training.predict import read_payload
from training.trained import Trained

#: Evenly spread inputs that are measured at most; the tails of so many are known well enough.
MEASURED = 2000
FEWEST = 50


def fit_quality(trained: Trained) -> QualityLimits:
    """Return limits measured on training inputs; none where there are too few for tails."""
    rows = trained.manifest.part(TRAIN)
    if len(rows) < FEWEST:
        return QualityLimits()
    step = max(1, len(rows) // MEASURED)
    measures = []
    for row in rows[::step]:
        decoded = decode_input(
            read_payload(row.path),
            trained.modality,
            render=trained.render,
            keep_side=reduced_side(trained.image),
        )
        side = min(decoded.width, decoded.height)
        measures.append(measure(to_canonical(decoded.image, trained.image), min_side=side))
    return fit_limits(measures)
