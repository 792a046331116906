"""Bands: how often the finding was there in each band of a published scale.

A scale reads a stated probability; whether it may be read so is seen in the observed rates alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from contracts.modality import DecisionRule, LikelihoodScale, Modality
from training.measure.bootstrap import wilson
from training.measure.scored import Scored, probabilities_of


def observed_bands(
    scored: Scored, rule: DecisionRule, modality: Modality, lowest_supported: float
) -> dict[str, Any]:
    """Return the cases and the observed rate (Wilson 95 %) of each band; {} without a scale.

    The band `clear` lies below `lowest_supported`; where the cases cannot show so little that it
    ends the scale's first band, no probability is called clear.
    """
    scale = modality.scale
    if scale is None:
        return {}
    index = modality.codes.index(scale.label)
    stated = probabilities_of(scored.logits, rule)[:, index]
    cut = lowest_supported if lowest_supported <= scale.bands[0][1] else 0.0
    names = np.asarray([_band(scale, float(p), cut) for p in stated])
    wanted = (["/".join(name for _, name in scale.clear)] if cut else []) + [
        name for name, _ in scale.bands
    ]
    rows = {name: _row(scored.truth[names == name, index]) for name in wanted}
    return {"scale": scale.name, "label": scale.label, "clear_below": cut, "rows": rows}


def _band(scale: LikelihoodScale, probability: float, cut: float) -> str:
    """The name of the band, all clear ones together."""
    if probability < cut:
        return "/".join(name for _, name in scale.clear)
    return scale.band_of(probability)


def _row(truth: np.ndarray) -> dict[str, Any]:
    """Counts and interval of one band; an empty band may have any rate."""
    found, size = int(truth.sum()), len(truth)
    return {
        "n": size,
        "with_finding": found,
        "rate": found / size if size else None,
        "rate_wilson": list(wilson(found, size)),
    }
