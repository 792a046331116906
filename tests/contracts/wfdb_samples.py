"""Synthetic ECGs and WFDB files made from them, for the tests of records, pages and rhythm."""

from __future__ import annotations

import io
import zipfile

import numpy as np

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_GAINS = (0.6, 1.0, 0.4, -0.8, 0.2, 0.7, -0.7, -1.1, 0.4, 1.3, 1.2, 0.9)
#: Peak in mV, place in seconds from the R peak, and width in seconds of P, Q, R, S and T.
_WAVES = (
    (0.12, -0.17, 0.025),
    (-0.10, -0.03, 0.010),
    (1.00, 0.00, 0.012),
    (-0.22, 0.03, 0.012),
    (0.28, 0.26, 0.050),
)


def synthetic_ecg(
    beats_per_minute: float = 72.0,
    *,
    rate_hz: float = 100.0,
    seconds: float = 10.0,
    noise_mv: float = 0.0,
    seed: int = 0,
):
    """Twelve leads in millivolts `[12, samples]` with R peaks at a steady rate from 0.4 s on."""
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    peaks = np.arange(0.4, seconds, 60.0 / beats_per_minute)
    beat = np.zeros_like(times)
    for height, place, width in _WAVES:
        beat += (height * np.exp(-0.5 * ((times[:, None] - peaks - place) / width) ** 2)).sum(1)
    signals = np.outer(_GAINS, beat)
    return signals + np.random.default_rng(seed).normal(0, noise_mv, signals.shape)


def wfdb_header(
    counts,
    *,
    record: str = "record 12 100 1000",
    storage: str = "record.dat 16",
    gain: str = "1000(0)/mV",
    leads=LEADS,
) -> str:
    """A header whose first values and checksums fit the ADC counts `[signals, samples]`."""
    lines = [record]
    for row, lead in zip(counts, leads, strict=True):
        checksum = int(row.sum()) & 0xFFFF
        lines.append(f"{storage} {gain} 16 0 {int(row[0])} {checksum} 0 {lead}")
    return "\n".join(lines) + "\n"


def counts_of(signals_mv, gain: float = 1000.0):
    """ADC counts at a gain."""
    return np.round(np.asarray(signals_mv) * gain).astype(np.int16)


def zip_of(*entries: tuple[str, bytes | str], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of the given names and contents, in order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def record_zip(signals_mv=None, *, header: str | None = None, rate_hz: float = 100.0) -> bytes:
    """A sound record in format 16, or one with another header over the same samples."""
    counts = counts_of(synthetic_ecg() if signals_mv is None else signals_mv)
    if header is None:
        line = f"record 12 {rate_hz:g} {counts.shape[1]}"
        header = wfdb_header(counts, record=line)
    return zip_of(("record.hea", header), ("record.dat", counts.T.astype("<i2").tobytes()))
