"""From the bytes of a WFDB header to checked numbers.

A header is hostile input: its length is checked before any pattern runs, every number must match
in full and lie in its range, and no name that it holds is ever opened or repeated. Multi-segment
records, several signal files, skew and several samples per frame are refused. The format is
described in "WFDB header file format", header(5), PhysioNet.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from contracts.archives import MAX_HEADER_BYTES
from contracts.errors import InvalidInput, UnsupportedMediaType

MAX_LINE = 255
SIGNAL_FORMATS = (16, 212, 80)
DEFAULT_GAIN = 200.0  # ADC units per millivolt when the header states none, header(5)

_NUMBER = r"[+-]?\d{1,12}(?:\.\d{0,12})?(?:[eE][+-]?\d{1,2})?"
_INTEGER = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_RATE = re.compile(rf"({_NUMBER})(?:/{_NUMBER}(?:\({_NUMBER}\))?)?", re.ASCII)
_FORMAT = re.compile(r"(\d{1,3})(?:x(\d{1,4}))?(?::(\d{1,6}))?(?:\+(\d{1,6}))?", re.ASCII)
_GAIN = re.compile(rf"({_NUMBER})(?:\(([+-]?\d{{1,10}})\))?(?:/(\S{{1,20}}))?", re.ASCII)
_PER_MILLIVOLT = {"mv": 1.0, "uv": 1000.0, "µv": 1000.0, "μv": 1000.0}


@dataclass(frozen=True, slots=True)
class SignalHeader:
    """One signal: gain in ADC units per millivolt, and what its samples must add up to."""

    name: str
    gain: float
    baseline: int
    initial_value: int | None
    checksum: int | None


@dataclass(frozen=True, slots=True)
class RecordHeader:
    """One single-segment record whose signals lie in one file, in one format.

    `samples` is the length per signal, or None when the header leaves it open; `offset_bytes`
    is where the samples start.
    """

    sampling_rate_hz: float
    samples: int | None
    signal_format: int
    offset_bytes: int
    signals: tuple[SignalHeader, ...]


def parse_header(header: bytes) -> RecordHeader:
    """Parse a WFDB header.

    Raises InvalidInput (422) with code `bad_header`, and UnsupportedMediaType (415) with code
    `unsupported_signal_format` for formats other than 16, 212 and 80.
    """
    lines = _lines(header)
    fields = lines[0].split()
    if not 3 <= len(fields) <= 6:
        raise _bad("The record line needs name, number of signals and sampling rate.")
    if "/" in fields[0]:
        raise _bad("Records of several segments are not read.")
    count = _integer(fields[1], 2, 32, "The number of signals")
    if len(lines) != count + 1:
        raise _bad("The number of signal lines is not the stated number of signals.")
    rate = _rate(fields[2])
    samples = _integer(fields[3], 0, 100_000_000, "The length") if len(fields) > 3 else 0
    rows = [line.split(maxsplit=8) for line in lines[1:]]
    signal_format, offset = _one_storage(rows)
    signals = tuple(_signal(row) for row in rows)
    return RecordHeader(rate, samples or None, signal_format, offset, signals)


def _bad(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="bad_header")


def _lines(header: bytes) -> list[str]:
    """Return the lines that are neither blank nor comments, each of bounded length."""
    if len(header) > MAX_HEADER_BYTES:
        raise _bad(f"The header is longer than {MAX_HEADER_BYTES} bytes.")
    lines = header.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n")
    if any(len(line) > MAX_LINE for line in lines):
        raise _bad(f"A header line is longer than {MAX_LINE} characters.")
    kept = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not kept or any(not line.replace("\t", " ").isprintable() for line in kept):
        raise _bad("The header is empty or no text.")
    return kept


def _integer(text: str, low: int, high: int, what: str) -> int:
    if not _INTEGER.fullmatch(text) or not low <= int(text) <= high:
        raise _bad(f"{what} must be a whole number from {low} to {high}.")
    return int(text)


def _rate(text: str) -> float:
    match = _RATE.fullmatch(text)
    rate = float(match[1]) if match else 0.0
    if not 50.0 <= rate <= 5000.0:
        raise _bad("The sampling rate must be a number from 50 to 5000 Hz.")
    return rate


def _one_storage(rows: list[list[str]]) -> tuple[int, int]:
    """Return format and byte offset, which all signals of the one data file must share."""
    if any(len(row) < 2 for row in rows):
        raise _bad("A signal line needs a file name and a format.")
    if len({row[0] for row in rows}) != 1 or len({row[1] for row in rows}) != 1:
        raise _bad("All signals must lie in one file, in one format.")
    match = _FORMAT.fullmatch(rows[0][1])
    if match is None:
        raise _bad("The format of a signal is no number.")
    if int(match[1]) not in SIGNAL_FORMATS:
        raise UnsupportedMediaType(
            "Only the WFDB signal formats 16, 212 and 80 are read.",
            code="unsupported_signal_format",
        )
    if int(match[2] or 1) != 1 or int(match[3] or 0) != 0:
        raise _bad("Several samples per frame and skew are not read.")
    return int(match[1]), int(match[4] or 0)


def _signal(row: list[str]) -> SignalHeader:
    """Parse one signal line: file, format, gain, bits, zero, initial, checksum, block, name."""
    gain, baseline = _gain(row[2]) if len(row) > 2 else (DEFAULT_GAIN, None)
    if len(row) > 3:
        _integer(row[3], 0, 32, "The ADC resolution")
    zero = _integer(row[4], -(2**31), 2**31, "The ADC zero") if len(row) > 4 else 0
    initial = _integer(row[5], -(2**31), 2**31, "The initial value") if len(row) > 5 else None
    checksum = _integer(row[6], -(2**16), 2**16, "The checksum") if len(row) > 6 else None
    if len(row) > 7:
        _integer(row[7], 0, 2**16, "The block size")
    name = row[8].strip() if len(row) > 8 else ""
    return SignalHeader(name, gain, zero if baseline is None else baseline, initial, checksum)


def _gain(text: str) -> tuple[float, int | None]:
    """Return the gain in ADC units per millivolt, and the baseline where it is stated."""
    match = _GAIN.fullmatch(text)
    if match is None:
        raise _bad("The gain of a signal is no number.")
    factor = _PER_MILLIVOLT.get((match[3] or "mV").casefold())
    if factor is None:
        raise _bad("The unit of every signal must be mV or uV.")
    gain = float(match[1]) * factor
    if not 0.01 <= gain <= 1e7:
        raise _bad("The gain must be from 0.01 to 10000000 ADC units per millivolt.")
    baseline = _integer(match[2], -(2**31), 2**31, "The baseline") if match[2] else None
    return gain, baseline
