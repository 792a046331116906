"""Facts measured from a record without any model: rate, length, leads, and the heart rate.

Beats are found as in Pan and Tompkins (1985): band-pass, slope, square, moving sum, threshold;
the slopes of all leads are added, so that one bad lead does not decide. No diagnosis of rhythm.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from contracts.records import Waveform
from contracts.renderer import window
from contracts.resampling import limit_rate

_Array = NDArray[np.float64]

_WORKING_HZ = 100.0
_REFRACTORY_SECONDS = 0.24
_SUM_SECONDS = 0.12
_THRESHOLD = 0.3
_MIN_BEATS = 4
_MIN_QRS_MV = 0.15
_PLAUSIBLE_BPM = (25.0, 240.0)
_AGREEMENT = 3.0

NO_BEATS = "too_few_beats"
UNCLEAR = "beats_unclear"
IMPLAUSIBLE = "rate_implausible"


@dataclass(frozen=True, slots=True)
class HeartRate:
    """Beats per minute from the median interval, or None with the reason.

    `beats_seconds` are the times of the beats found, from the start of what is shown.
    `regularity` is the share of intervals within 10 % of the median.
    """

    beats_per_minute: float | None
    reason: str | None
    beats_seconds: tuple[float, ...] = ()
    regularity: float | None = None


def measure_record(waveform: Waveform) -> dict[str, float | str | bool | list[str] | None]:
    """Return the measured facts of a record, as they stand in `Prediction.measurements`.

    `heart_rate_bpm` is null when it cannot be found; `heart_rate_missing` then says why.
    """
    rate = heart_rate(waveform)
    return {
        "sampling_rate_hz": waveform.sampling_rate_hz,
        "duration_seconds": round(waveform.duration_seconds, 3),
        "lead_names": list(waveform.lead_names),
        "heart_rate_bpm": None
        if rate.beats_per_minute is None
        else round(rate.beats_per_minute, 1),
        "heart_rate_missing": rate.reason,
        "rr_regularity": None if rate.regularity is None else round(rate.regularity, 2),
    }


def heart_rate(waveform: Waveform) -> HeartRate:
    """Measure the heart rate of the ten seconds that the page shows.

    None with `too_few_beats` (under four beats, or a record too short or flat), `beats_unclear`
    (what was found does not stand out from what lies between) or `rate_implausible`.
    """
    energy = _slope_energy(window(waveform))
    beats = _find_beats(energy)
    times = tuple(float(beat) / _WORKING_HZ for beat in beats)
    if len(beats) < _MIN_BEATS:
        return HeartRate(None, NO_BEATS, times)
    if not _stand_out(energy, beats):
        return HeartRate(None, UNCLEAR, times)
    intervals = np.diff(times)
    median = float(np.median(intervals))
    if not _PLAUSIBLE_BPM[0] <= 60.0 / median <= _PLAUSIBLE_BPM[1]:
        return HeartRate(None, IMPLAUSIBLE, times)
    regularity = float((np.abs(intervals / median - 1) <= 0.1).mean())
    return HeartRate(60.0 / median, None, times, regularity)


def _slope_energy(waveform: Waveform) -> _Array:
    """Smoothed slope of all leads at 100 Hz, in millivolts per sample."""
    limited = limit_rate(waveform.signals_mv, waveform.sampling_rate_hz, _WORKING_HZ)
    signals = _at_working_rate(np.nan_to_num(limited.signals), limited.rate_hz)
    spread = np.percentile(signals, 99.5, axis=1) - np.percentile(signals, 0.5, axis=1)
    moving = signals[spread >= _MIN_QRS_MV]
    if len(moving) == 0:
        return np.zeros(signals.shape[1])
    quick = np.stack([_band_pass(lead) for lead in moving])
    slope = np.abs(np.diff(quick, axis=1, prepend=quick[:, :1]))
    scale = np.percentile(slope, 99, axis=1, keepdims=True)
    total = np.median(slope / np.maximum(scale, 1e-9), axis=0)
    return _moving_mean(total, round(_SUM_SECONDS * _WORKING_HZ))


def _at_working_rate(signals: NDArray[np.float32], rate_hz: float) -> _Array:
    """Bring a slower record up to 100 Hz by straight lines."""
    count = int(signals.shape[1] * _WORKING_HZ / rate_hz)
    times, wanted = np.arange(signals.shape[1]) / rate_hz, np.arange(count) / _WORKING_HZ
    return np.stack([np.interp(wanted, times, lead) for lead in signals])


def _band_pass(lead: _Array) -> _Array:
    """About 5 to 20 Hz at 100 Hz: the difference of a short and a long moving mean."""
    return _moving_mean(lead, 3) - _moving_mean(lead, 15)


def _moving_mean(values: _Array, length: int) -> _Array:
    padded = np.pad(values, (length // 2, length - 1 - length // 2), mode="edge")
    return np.convolve(padded, np.full(length, 1 / length), mode="valid")


def _find_beats(energy: _Array) -> list[int]:
    """Peaks over a share of the usual peak height, at least a refractory time apart.

    The usual height is the median over the maxima of windows of two seconds, so that neither a
    spike nor a pause moves it.
    """
    window = round(2 * _WORKING_HZ)
    heights = [energy[start : start + window].max() for start in range(0, len(energy), window)]
    threshold = _THRESHOLD * float(np.median(heights))
    if threshold <= 0:
        return []
    inner = energy[1:-1]
    peaks = np.flatnonzero((inner >= energy[:-2]) & (inner > energy[2:]) & (inner > threshold)) + 1
    beats: list[int] = []
    for peak in sorted(peaks, key=lambda place: -energy[place]):
        if all(abs(peak - beat) >= _REFRACTORY_SECONDS * _WORKING_HZ for beat in beats):
            beats.append(int(peak))
    return sorted(beats)


def _stand_out(energy: _Array, beats: list[int]) -> bool:
    """True when the beats are well above what lies half-way between them."""
    between = [(one + other) // 2 for one, other in pairwise(beats)]
    return bool(np.median(energy[beats]) >= _AGREEMENT * np.median(energy[between]))
