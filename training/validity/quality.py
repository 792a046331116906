"""Fit quality: the limits of the cheap image measures, from the training part."""

from __future__ import annotations

from contracts.modality import Kind, QualityLimits
from contracts.preprocessing import to_canonical
from contracts.quality import fit_limits, measure
from training.fit.inputs import loader_for
from training.fit.trained import Trained
from training.manifest import TRAIN

#: Evenly spread inputs that are measured at most; the tails of so many are known well enough.
MEASURED = 2000
FEWEST = 50
#: Records are measured as clean pages and as pages that somebody photographed or scanned.
PAGE_VARIANTS = 4


def fit_quality(trained: Trained) -> QualityLimits:
    """Return limits measured on training inputs; none where there are too few for tails."""
    rows = trained.manifest.part(TRAIN)
    if len(rows) < FEWEST:
        return QualityLimits()
    rows = rows[:: max(1, len(rows) // MEASURED)]
    load = loader_for(rows, trained.modality)
    variants = PAGE_VARIANTS if trained.modality.kind is Kind.ECG else 1
    measures = []
    for index in range(len(rows)):
        for variant in range(variants):
            picture = load(index, variant)
            canonical = to_canonical(picture, trained.image)
            measures.append(measure(canonical, min_side=min(picture.size)))
    return fit_limits(measures)
