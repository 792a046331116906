"""From one WFDB record to millivolts: `decode_record`, and the quality of what was recorded.

The layout of the samples is described in "WFDB signal file formats", signal(5), PhysioNet.
Drawing lives in `contracts/renderer.py`, measuring in `contracts/rhythm.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contracts.archives import RecordFiles, read_archive
from contracts.errors import InvalidInput
from contracts.wfdb_header import RecordHeader, parse_header

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")

Millivolts = NDArray[np.float32]
_Integers = NDArray[np.int32]
_STANDARD = {lead.casefold(): lead for lead in LEADS}
_INVALID = {16: -32768, 212: -2048, 80: -128}


@dataclass(frozen=True, slots=True)
class RecordLimits:
    """Bounds of a record beyond the byte limits of its archive."""

    min_seconds: float = 1.0
    max_samples: int = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Waveform:
    """The twelve standard leads in standard order.

    `signals_mv` is float32 `[12, samples]` in millivolts; NaN marks samples that the recorder
    declared invalid.
    """

    signals_mv: Millivolts
    sampling_rate_hz: float
    lead_names: tuple[str, ...] = LEADS

    @property
    def duration_seconds(self) -> float:
        """Length of the record."""
        return float(self.signals_mv.shape[1] / self.sampling_rate_hz)

    def lead(self, name: str) -> Millivolts:
        """Return one lead in millivolts; raise ValueError for a name that is not there."""
        lead: Millivolts = self.signals_mv[self.lead_names.index(name)]
        return lead


def decode_record(payload: bytes, limits: RecordLimits | None = None) -> Waveform:
    """Decode a zip of one `.hea` and one `.dat`; leads beyond the standard twelve are left out.

    Raises UnsupportedMediaType (415) for other bytes or signal formats, and InvalidInput (422)
    with code `bad_archive`, `bad_header`, `missing_leads`, `record_too_short` or
    `record_too_long`.
    """
    return decode_files(read_archive(payload), limits)


def decode_files(files: RecordFiles, limits: RecordLimits | None = None) -> Waveform:
    """Decode the two files of a record; raises as `decode_record`, but never `bad_archive`."""
    limits = limits or RecordLimits()
    header = parse_header(files.header)
    rows = _standard_rows(header)
    frames = _frames(files.signals[header.offset_bytes :], header, limits)
    _verify(frames, header)
    signals = np.stack([_to_millivolts(frames[row], row, header) for row in rows])
    return Waveform(signals, header.sampling_rate_hz)


def _standard_rows(header: RecordHeader) -> list[int]:
    """Return where each standard lead lies, by name and without regard to case."""
    rows: dict[str, int] = {}
    for row, signal in enumerate(header.signals):
        lead = _STANDARD.get(signal.name.casefold())
        if lead in rows:
            raise InvalidInput("The record names a lead twice.", code="bad_header")
        if lead is not None:
            rows[lead] = row
    missing = [lead for lead in LEADS if lead not in rows]
    if missing:
        raise InvalidInput(
            f"The record lacks standard leads: {', '.join(missing)}.", code="missing_leads"
        )
    return [rows[lead] for lead in LEADS]


def _frames(signals: bytes, header: RecordHeader, limits: RecordLimits) -> _Integers:
    """Return the samples `[signals, samples]`, of exactly the stated length."""
    count = len(header.signals)
    samples = header.samples or _samples_in(len(signals), header.signal_format) // count
    if samples < limits.min_seconds * header.sampling_rate_hz:
        raise InvalidInput(
            f"The record is shorter than {limits.min_seconds:g} s.", code="record_too_short"
        )
    if samples * count > limits.max_samples:
        raise InvalidInput(
            f"The record holds more than {limits.max_samples} samples.", code="record_too_long"
        )
    if len(signals) not in _sizes_of(samples * count, header.signal_format):
        raise InvalidInput(
            "The signal file is shorter or longer than its header states.", code="bad_header"
        )
    flat = _UNPACK[header.signal_format](signals, samples * count)
    return flat.reshape(samples, count).T


def _samples_in(size_bytes: int, signal_format: int) -> int:
    """Return how many samples fit into so many bytes."""
    return {16: size_bytes // 2, 212: size_bytes * 2 // 3, 80: size_bytes}[signal_format]


def _sizes_of(samples: int, signal_format: int) -> set[int]:
    """Return the legal file sizes; an odd last sample of format 212 takes two or three bytes."""
    if signal_format == 212:
        return {(samples * 3 + 1) // 2, (samples + 1) // 2 * 3}
    return {samples * 2 if signal_format == 16 else samples}


def _unpack_16(signals: bytes, samples: int) -> _Integers:
    return np.frombuffer(signals, dtype="<i2", count=samples).astype(np.int32)


def _unpack_80(signals: bytes, samples: int) -> _Integers:
    return np.frombuffer(signals, dtype=np.uint8, count=samples).astype(np.int32) - 128


def _unpack_212(signals: bytes, samples: int) -> _Integers:
    """Two 12-bit samples in three bytes; the middle byte holds the high nibbles of both."""
    padded = signals + bytes(-len(signals) % 3)
    triples = np.frombuffer(padded, dtype=np.uint8).reshape(-1, 3).astype(np.int32)
    first = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    second = triples[:, 2] | (triples[:, 1] & 0xF0) << 4
    unsigned = np.stack([first, second], axis=1).ravel()[:samples]
    return np.where(unsigned >= 2048, unsigned - 4096, unsigned).astype(np.int32)


_UNPACK = {16: _unpack_16, 212: _unpack_212, 80: _unpack_80}


def _verify(frames: _Integers, header: RecordHeader) -> None:
    """Compare first sample and checksum with what the header states of them."""
    for row, signal in enumerate(header.signals):
        samples = frames[row]
        wrong_start = signal.initial_value is not None and signal.initial_value != samples[0]
        total = int(samples.sum(dtype=np.int64))
        wrong_sum = signal.checksum is not None and (signal.checksum - total) % 2**16 != 0
        if wrong_start or wrong_sum:
            raise InvalidInput(
                "The samples do not match first value and checksum of the header.",
                code="bad_header",
            )


def _to_millivolts(samples: _Integers, row: int, header: RecordHeader) -> Millivolts:
    signal = header.signals[row]
    signals_mv: Millivolts = ((samples - float(signal.baseline)) / signal.gain).astype(np.float32)
    signals_mv[samples == _INVALID[header.signal_format]] = np.nan
    return signals_mv
