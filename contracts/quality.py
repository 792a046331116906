"""Cheap measures of one picture, and the reasons they give against the model file's limits.

Measured on the picture as the network sees it (the canonical copy of `contracts.preprocessing`),
so that an original and its shrunken copy measure alike. NumPy only, about a millisecond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from contracts.modality import QualityLimits
from contracts.schemas import Reason

Bounds = tuple[float | None, float | None]
Sum = TypeVar("Sum", float, NDArray[np.float64])

_DARK, _BRIGHT = 10, 245
_LEVELS = np.arange(256)
#: By grey value: what a pixel adds to the sum, to that of the squares, to the dark, to the bright.
_SUMS = np.stack((_LEVELS, _LEVELS**2, _LEVELS <= _DARK, _LEVELS >= _BRIGHT), axis=1)
_FLAT_LINE_STD = 2.0


@dataclass(frozen=True, slots=True)
class _Rule:
    """How limits of one measure are fitted: which sides count, on which scale, with what slack.

    `slack` is the least distance of a rejecting bound from the data, in the measure's own unit or,
    on a logarithmic scale, as a factor.
    """

    low: bool
    high: bool
    slack: float
    logarithmic: bool = False


_RULES: Mapping[str, _Rule] = {
    "blur": _Rule(low=True, high=True, slack=2.0, logarithmic=True),
    "brightness": _Rule(low=True, high=True, slack=0.05),
    "contrast": _Rule(low=True, high=False, slack=0.02),
    "dark": _Rule(low=False, high=True, slack=0.1),
    "bright": _Rule(low=False, high=True, slack=0.1),
    "border": _Rule(low=False, high=True, slack=0.1),
    "saturation": _Rule(low=True, high=True, slack=0.06),
    "entropy": _Rule(low=True, high=False, slack=0.5),
}
_WARN_QUANTILE, _REJECT_QUANTILE = 0.005, 0.001
_REACH = 0.5
_MIN_CASES = 50

_ADVICE: Mapping[tuple[str, str], str] = {
    ("min_side", "low"): "The picture is small. Send the original, not a thumbnail.",
    ("blur", "low"): "The picture is blurred. Take or export it again in focus.",
    ("blur", "high"): "The picture is much noisier or sharper than the model's cases. Send the "
    "original export.",
    ("brightness", "low"): "The picture is too dark. Check exposure or window settings.",
    ("brightness", "high"): "The picture is too bright. Check exposure or window settings.",
    ("contrast", "low"): "The picture has hardly any contrast. Check exposure or window settings.",
    ("dark", "high"): "Large parts are black. Crop empty borders and check the exposure.",
    ("bright", "high"): "Large parts are white. Check the exposure, and that this is the picture "
    "itself and not a page.",
    ("border", "high"): "Wide empty borders surround the picture. Crop them.",
    ("saturation", "low"): "The picture has less colour than the model's cases. Send the colour "
    "original.",
    ("saturation", "high"): "The picture has more colour than the model's cases. Check that it is "
    "of the right kind.",
    ("entropy", "low"): "The picture shows almost nothing. Check that the right file was sent.",
}


def measure(canonical: Image.Image, *, min_side: int) -> dict[str, float]:
    """Return the named measures of a picture, RGB or grey, at the network's size.

    `min_side` is the shorter side of the source in pixels. `blur` is the variance of the
    Laplacian (grey values 0–255; low means blurred), `brightness` and `contrast` are mean and
    standard deviation of grey, `dark`, `bright` and `border` shares of the area, `saturation` the
    mean spread of the channels, all 0–1; `entropy` is that of the grey values in bits.
    """
    is_grey = canonical.mode == "L"
    image = canonical if is_grey else canonical.convert("L")
    grey, counts = np.asarray(image), np.array(image.histogram())
    total, squares, dark, bright = (counts @ _SUMS).tolist()
    shares = counts / grey.size
    bits = np.log2(np.maximum(shares, 1 / grey.size))
    return {
        "min_side": float(min_side),
        "blur": _laplacian_variance(grey),
        "brightness": total / grey.size / 255,
        "contrast": math.sqrt(_variance(grey.size, total, squares)) / 255,
        "dark": dark / grey.size,
        "bright": bright / grey.size,
        "border": _border_share(grey),
        "saturation": 0.0 if is_grey else _saturation(np.asarray(canonical)),
        "entropy": abs(float(shares @ bits)),
    }


def judge_quality(
    measures: Mapping[str, float], limits: QualityLimits
) -> tuple[list[Reason], list[Reason]]:
    """Return the rejecting reasons and the warnings; a measure gives one of the two, not both."""
    reasons = _outside(measures, limits.reject)
    rejected = {reason.code for reason in reasons}
    warnings = [
        warning for warning in _outside(measures, limits.warn) if warning.code not in rejected
    ]
    return reasons, warnings


def fit_limits(measures: Sequence[Mapping[str, float]]) -> QualityLimits:
    """Return limits from the measures of good inputs; raise ValueError for fewer than 50.

    Warnings begin at the 0.5 % tails. Rejection begins where a value is farther beyond the 0.1 %
    tail than half the way from the median to that tail, and never nearer than a fixed slack: so
    nearly every good input passes, and what fails is unlike all that was seen.
    """
    if len(measures) < _MIN_CASES:
        raise ValueError(f"limits need at least {_MIN_CASES} measured inputs")
    warn: dict[str, Bounds] = {}
    reject: dict[str, Bounds] = {}
    for name, rule in _RULES.items():
        values = np.array([case[name] for case in measures], dtype=np.float64)
        warn[name], reject[name] = _fit(values, rule)
    sides = np.array([case["min_side"] for case in measures], dtype=np.float64)
    warn["min_side"] = (float(np.quantile(sides, _WARN_QUANTILE)) / 2, None)
    return QualityLimits(warn=warn, reject=reject)


def _fit(values: NDArray[np.float64], rule: _Rule) -> tuple[Bounds, Bounds]:
    """Return the warning and the rejecting bounds of one measure."""
    scaled = np.log(np.maximum(values, 1e-3)) if rule.logarithmic else values
    slack = math.log(rule.slack) if rule.logarithmic else rule.slack
    median = float(np.median(scaled))
    warn: list[float | None] = [None, None]
    reject: list[float | None] = [None, None]
    for side, wanted, sign in ((0, rule.low, -1.0), (1, rule.high, 1.0)):
        if not wanted:
            continue
        edge = _quantile(scaled, _WARN_QUANTILE, sign) + sign * slack / 4
        tail = _quantile(scaled, _REJECT_QUANTILE, sign)
        bound = tail + sign * max(slack, _REACH * abs(tail - median))
        warn[side] = _bound(edge, rule)
        reject[side] = _bound(bound, rule)
    return (warn[0], warn[1]), (reject[0], reject[1])


def _bound(scaled: float, rule: _Rule) -> float | None:
    """Return a bound in the measure's own unit; None where no value can be beyond it."""
    value = math.exp(scaled) if rule.logarithmic else scaled
    return value if value > 0 else None


def _quantile(values: NDArray[np.float64], share: float, sign: float) -> float:
    """Return the quantile of the lower (sign −1) or the upper (sign 1) tail."""
    return float(np.quantile(values, share if sign < 0 else 1 - share))


def _outside(measures: Mapping[str, float], bounds: Mapping[str, Bounds]) -> list[Reason]:
    """Return a reason for each measure beyond its bounds, in the order of the measures."""
    reasons = []
    for name, value in measures.items():
        low, high = bounds.get(name, (None, None))
        side = "low" if low is not None and value < low else None
        side = "high" if high is not None and value > high else side
        message = _ADVICE.get((name, side)) if side else None
        if message is not None:
            reasons.append(Reason(code=f"quality.{name}", message=message))
    return reasons


def _laplacian_variance(grey: NDArray[np.uint8]) -> float:
    """Variance of the four-neighbour Laplacian."""
    wide = grey.astype(np.int16)
    laplacian = 4 * wide[1:-1, 1:-1]
    for neighbours in (wide[:-2, 1:-1], wide[2:, 1:-1], wide[1:-1, :-2], wide[1:-1, 2:]):
        laplacian -= neighbours
    values = laplacian.astype(np.float64).ravel()
    return float(_variance(values.size, values.sum(), values @ values))


def _border_share(grey: NDArray[np.uint8]) -> float:
    """Share of the area in outer rows and columns that are flat."""
    values = grey.astype(np.float64)
    squares, kept = values * values, 1.0
    for lines, squared in ((values, squares), (values.T, squares.T)):
        ones = np.ones(lines.shape[1])
        variance = _variance(ones.size, lines @ ones, squared @ ones)
        kept *= 1 - _outer_share(variance < _FLAT_LINE_STD**2)
    return 1 - kept


def _variance(count: int, total: Sum, squares: Sum) -> Sum:
    """Variance of whole numbers by their sum and the sum of their squares, which are exact."""
    return (count * squares - total * total) / count**2


def _outer_share(flat: NDArray[np.bool_]) -> float:
    """Share of lines in the unbroken flat runs at both ends."""
    if flat.all():
        return 1.0
    return float(flat.argmin() + flat[::-1].argmin()) / flat.size


def _saturation(rgb: NDArray[np.uint8]) -> float:
    """Mean distance between the largest and the smallest channel, 0–1."""
    planes = np.ascontiguousarray(rgb.transpose(2, 0, 1))
    return float((planes.max(0) - planes.min(0)).mean() / 255)
