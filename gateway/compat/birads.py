"""BI-RADS category estimated from a calibrated probability of malignancy.

The bands are those of `contracts.modalities.breast_ultrasound`. Categories 1 and 2 stand for
essentially 0 % and depend on what the calibration cases can show.
"""

from __future__ import annotations

from contracts.modalities.breast_ultrasound import BI_RADS

PROBABLY_BENIGN = BI_RADS.bands[0][1]
_CLEAR = dict(BI_RADS.clear)


def birads_estimate(malignancy: float, label: str, lowest_supported: float | None) -> str:
    """Return the category, such as `BI-RADS 4A (estimate)`.

    1 (`normal`) and 2 (`benign`) stand for essentially 0 %. They appear only below
    `lowest_supported`, the smallest probability that the calibration cases can tell from others;
    where that is unknown or above the band of category 3 they never do.
    """
    return f"{BI_RADS.name} {_category(malignancy, label, lowest_supported)} (estimate)"


def _category(malignancy: float, label: str, lowest_supported: float | None) -> str:
    """Return the bare category."""
    if label in _CLEAR and malignancy < (lowest_supported or 0.0) <= PROBABLY_BENIGN:
        return _CLEAR[label]
    return BI_RADS.band_of(malignancy)
