"""Bring a signal down to a lower sampling rate without folding high frequencies back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.records import Millivolts

_LOBES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Signals `[leads, samples]` and the rate that they have now."""

    signals: Millivolts
    rate_hz: float


def limit_rate(signals: Millivolts, rate_hz: float, limit_hz: float | None) -> Sampled:
    """Return the signals at `limit_hz` where they are faster, else as they are.

    A Hann-windowed sinc takes out what the lower rate cannot hold. Invalid samples are bridged
    for the filter and marked again behind it.
    """
    if limit_hz is None or rate_hz <= limit_hz * 1.01:
        return Sampled(signals, rate_hz)
    kernel = _low_pass(rate_hz / limit_hz)
    times = np.arange(signals.shape[1]) / rate_hz
    wanted = np.arange(int(signals.shape[1] * limit_hz / rate_hz)) / limit_hz
    lowered = [_lower(lead, kernel, times, wanted) for lead in signals]
    return Sampled(np.stack(lowered).astype(np.float32), limit_hz)


def _low_pass(ratio: float) -> Millivolts:
    """Hann-windowed sinc with its half-power point just under the new Nyquist frequency."""
    half = int(np.ceil(_LOBES * ratio))
    places = np.arange(-half, half + 1)
    kernel = np.sinc(0.9 * places / ratio) * np.hanning(len(places) + 2)[1:-1]
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def _lower(
    lead: Millivolts, kernel: Millivolts, times: NDArray[np.float64], wanted: NDArray[np.float64]
) -> Millivolts:
    known = ~np.isnan(lead)
    if not known.any():
        return np.full(len(wanted), np.nan, dtype=np.float32)
    bridged = np.interp(times, times[known], lead[known])
    half = len(kernel) // 2
    smooth = np.convolve(np.pad(bridged, half, mode="edge"), kernel, mode="valid")
    lowered = np.interp(wanted, times, smooth)
    lowered[np.interp(wanted, times, (~known).astype(float)) > 0] = np.nan
    return np.asarray(lowered, dtype=np.float32)
