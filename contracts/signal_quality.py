"""Is there an ECG in the record at all: reason codes from the signals, before any model runs."""

from __future__ import annotations

import numpy as np

from contracts.records import Millivolts, Waveform
from contracts.schemas import Reason

FLAT_LINE, LEAD_OFF, SATURATED = "quality.flat_line", "quality.lead_off", "quality.saturated"

#: Codes after which a record is rejected; the others leave a doubt, and the answer abstains.
REJECTING = frozenset({FLAT_LINE})

_ADVICE = {
    FLAT_LINE: "No lead of the record carries a signal. Check the electrodes and record again.",
    LEAD_OFF: "At least one lead is flat or invalid for half of the record. Check its electrode.",
    SATURATED: "A lead stands at the recorder's limit for a part of the record. Record it again.",
}
_FLAT_MV = 0.02  # below a fifth of a millimetre on paper in every second
_OFF_SHARE = 0.5
_RAIL_SHARE = 0.05
_RAIL_RANGE_MV = 0.5


def signal_quality(waveform: Waveform) -> list[str]:
    """Return the reason codes that hold for this record; empty for a usable one.

    `quality.flat_line`: no lead carries a signal. `quality.lead_off`: at least one lead is flat
    or invalid for half of its time. `quality.saturated`: a lead stands at one extreme value for
    5 % of its time.
    """
    off = [_off_share(lead, waveform.sampling_rate_hz) > _OFF_SHARE for lead in waveform.signals_mv]
    if all(off):
        return [FLAT_LINE]
    codes = [LEAD_OFF] if any(off) else []
    if any(_rail_share(lead) > _RAIL_SHARE for lead in waveform.signals_mv):
        codes.append(SATURATED)
    return codes


def judge_signal(waveform: Waveform) -> tuple[list[Reason], list[Reason]]:
    """Return the rejections and the doubts that hold for this record, in words."""
    reasons = [Reason(code=code, message=_ADVICE[code]) for code in signal_quality(waveform)]
    rejections = [reason for reason in reasons if reason.code in REJECTING]
    return rejections, [reason for reason in reasons if reason.code not in REJECTING]


def _off_share(lead: Millivolts, sampling_rate_hz: float) -> float:
    """Share of whole seconds in which a lead is invalid or moves less than 0.02 mV."""
    length = int(sampling_rate_hz)
    seconds = lead[: len(lead) // length * length].reshape(-1, length)
    invalid = np.isnan(seconds).any(axis=1)
    known = np.nan_to_num(seconds)
    return float((invalid | (np.ptp(known, axis=1) < _FLAT_MV)).mean())


def _rail_share(lead: Millivolts) -> float:
    """Share of samples at the exact maximum or minimum of a lead that moves."""
    known = lead[~np.isnan(lead)]
    if known.size == 0 or np.ptp(known) < _RAIL_RANGE_MV:
        return 0.0
    return float(max((known == known.max()).mean(), (known == known.min()).mean()))
