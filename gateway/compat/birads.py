"""BI-RADS category estimated from a calibrated probability of malignancy.

By the likelihood bands of the ACR atlas (5th edition, 2013): 2 essentially 0 %, 3 up to 2 %,
4A up to 10 %, 4B up to 50 %, 4C below 95 %, 5 from 95 % on. A category is a reader's judgement, so
this is called an estimate. It is never 0 (which asks for more pictures) and never 6 (which needs a
biopsy).
"""

from __future__ import annotations

PROBABLY_BENIGN = 0.02
_BANDS = ((PROBABLY_BENIGN, "3"), (0.10, "4A"), (0.50, "4B"))
_HIGHLY_SUGGESTIVE = 0.95
_CLEAR = {"normal": "1", "benign": "2"}


def birads_estimate(malignancy: float, label: str, lowest_supported: float | None) -> str:
    """Return the category, such as `BI-RADS 4A (estimate)`.

    1 (`normal`) and 2 (`benign`) stand for essentially 0 %. They appear only below
    `lowest_supported`, the smallest probability that the calibration cases can tell from others;
    where that is unknown or above the band of category 3 they never do.
    """
    return f"BI-RADS {_category(malignancy, label, lowest_supported)} (estimate)"


def _category(malignancy: float, label: str, lowest_supported: float | None) -> str:
    """Return the bare category."""
    if label in _CLEAR and malignancy < (lowest_supported or 0.0) <= PROBABLY_BENIGN:
        return _CLEAR[label]
    for most, category in _BANDS:
        if malignancy <= most:
            return category
    return "5" if malignancy >= _HIGHLY_SUGGESTIVE else "4C"
