from pathlib import Path

import numpy as np
import pytest

from contracts.records import Waveform
from contracts.signal_quality import REJECTING, judge_signal, signal_quality
from tests.contracts.wfdb_samples import synthetic_ecg
from training.ecg.records import read_waveform

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ecg" / "records100"


def codes(signals) -> list[str]:
    return signal_quality(Waveform(np.asarray(signals, dtype=np.float32), 100.0))


def test_a_usable_record_has_no_reason():
    assert codes(synthetic_ecg(noise_mv=0.02)) == []


def test_W5_a_record_without_any_signal_is_flat_and_rejected():
    flat = np.random.default_rng(0).normal(0, 0.001, (12, 1000))

    assert codes(flat) == ["quality.flat_line"]
    assert codes(np.full((12, 1000), np.nan)) == ["quality.flat_line"]
    assert "quality.flat_line" in REJECTING


@pytest.mark.parametrize("value", [0.0, np.nan, 2.5])
def test_W5_one_lead_without_signal_is_off(value):
    signals = synthetic_ecg(noise_mv=0.02)
    signals[7] = value

    assert codes(signals) == ["quality.lead_off"]


def test_a_lead_that_falls_off_for_less_than_half_of_its_time_still_counts():
    signals = synthetic_ecg(noise_mv=0.02)
    signals[7, :400] = np.nan

    assert codes(signals) == []


def test_W5_a_lead_at_the_rail_is_saturated():
    signals = synthetic_ecg(noise_mv=0.02)
    signals[6] = np.minimum(signals[6], 0.0)

    assert codes(signals) == ["quality.saturated"]


def test_W5_a_flat_record_is_rejected_and_a_doubtful_one_warned_of_in_words():
    signals = synthetic_ecg(noise_mv=0.02)
    signals[7] = 0.0

    flat = judge_signal(Waveform(np.zeros((12, 1000), np.float32), 100.0))
    doubtful = judge_signal(Waveform(signals.astype(np.float32), 100.0))

    assert [reason.code for reason in flat[0]] == ["quality.flat_line"] and flat[1] == []
    assert doubtful[0] == [] and [reason.code for reason in doubtful[1]] == ["quality.lead_off"]
    assert all(reason.message for reasons in (*flat, *doubtful) for reason in reasons)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the optional PTB-XL sample is not there")
def test_no_record_of_ptb_xl_is_taken_for_flat_or_saturated():
    raised = [code for path in SHARED.glob("*.hea") for code in signal_quality(read_waveform(path))]

    assert raised == []
