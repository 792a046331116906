from pathlib import Path

import numpy as np
import pytest

from contracts.records import LEADS, Waveform
from contracts.rhythm import heart_rate, measure_record
from tests.contracts.wfdb_samples import synthetic_ecg
from training.ecg.records import read_waveform

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ecg" / "records100"


def waveform(signals, rate_hz: float = 100.0) -> Waveform:
    return Waveform(np.asarray(signals, dtype=np.float32), rate_hz)


@pytest.mark.parametrize("beats_per_minute", [30, 45, 60, 72, 100, 130, 160, 200, 220])
@pytest.mark.parametrize("rate_hz", [60, 100, 128.5, 250, 500, 1000])
def test_a_known_heart_rate_is_found_at_every_sampling_rate(beats_per_minute, rate_hz):
    for noise in (0.0, 0.02, 0.08):
        signals = synthetic_ecg(beats_per_minute, rate_hz=rate_hz, noise_mv=noise)

        found = heart_rate(waveform(signals, rate_hz))

        assert found.beats_per_minute == pytest.approx(beats_per_minute, rel=0.03)
        assert found.reason is None


def test_the_times_of_the_beats_are_those_of_the_r_peaks():
    found = heart_rate(waveform(synthetic_ecg(60, noise_mv=0.02)))

    np.testing.assert_allclose(found.beats_seconds, np.arange(0.4, 10, 1.0), atol=0.05)
    assert found.regularity == 1.0


def test_a_long_record_is_measured_where_the_page_shows_it():
    slow, fast = synthetic_ecg(60, seconds=10), synthetic_ecg(120, seconds=10)
    signals = np.concatenate([slow, fast, slow], axis=1)

    assert heart_rate(waveform(signals)).beats_per_minute == pytest.approx(120, rel=0.03)


def test_one_bad_lead_does_not_disturb():
    signals = synthetic_ecg(80)
    signals[1] = np.random.default_rng(0).normal(0, 1.0, 1000)
    signals[5] = np.nan

    assert heart_rate(waveform(signals)).beats_per_minute == pytest.approx(80, rel=0.02)


def test_an_irregular_rhythm_gives_its_median_and_a_low_regularity():
    pieces = [synthetic_ecg(60, seconds=length)[:, : int(length * 100)] for length in
              (1.0, 0.7, 1.3, 0.8, 1.2, 0.7, 1.0, 1.4, 0.7, 1.2)]  # fmt: skip

    found = heart_rate(waveform(np.concatenate(pieces, axis=1)))

    assert found.beats_per_minute is not None and found.regularity is not None
    assert found.regularity < 0.7


@pytest.mark.parametrize(
    ("signals", "reason"),
    [
        (np.zeros((12, 1000)), "too_few_beats"),
        (np.full((12, 1000), np.nan), "too_few_beats"),
        (synthetic_ecg(60, seconds=2.5), "too_few_beats"),
        (np.random.default_rng(1).normal(0, 0.3, (12, 1000)), "beats_unclear"),
    ],
)
def test_without_clear_beats_there_is_no_rate_but_a_reason(signals, reason):
    found = heart_rate(waveform(signals))

    assert (found.beats_per_minute, found.reason) == (None, reason)


def test_the_measurements_name_rate_length_and_leads():
    facts = measure_record(waveform(synthetic_ecg(75), 100.0))

    assert facts == {
        "sampling_rate_hz": 100.0,
        "duration_seconds": 10.0,
        "lead_names": list(LEADS),
        "heart_rate_bpm": 75.0,
        "heart_rate_missing": None,
        "rr_regularity": 1.0,
    }


def test_a_rate_that_cannot_be_measured_is_null_with_its_reason():
    facts = measure_record(waveform(np.zeros((12, 1000))))

    assert (facts["heart_rate_bpm"], facts["heart_rate_missing"]) == (None, "too_few_beats")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the optional PTB-XL sample is not there")
def test_every_ptb_xl_record_has_a_plausible_rate():
    rates = [heart_rate(read_waveform(path)).beats_per_minute for path in SHARED.glob("*.hea")]

    found = [rate for rate in rates if rate is not None]

    assert len(found) >= 0.98 * len(rates)
    assert 60 < np.median(found) < 80
