import numpy as np
import pytest

from contracts.resampling import limit_rate


def tone(frequency: float, rate_hz: float, seconds: float = 10.0):
    times = np.arange(round(rate_hz * seconds)) / rate_hz
    return np.sin(2 * np.pi * frequency * times)[None].astype(np.float32)


@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 100.5])
def test_a_signal_at_or_under_the_limit_is_left_alone(rate_hz):
    signals = tone(1, rate_hz)

    limited = limit_rate(signals, rate_hz, 100.0)

    assert limited.signals is signals and limited.rate_hz == rate_hz


def test_without_a_limit_nothing_changes():
    signals = tone(1, 500)

    assert limit_rate(signals, 500, None).signals is signals


@pytest.mark.parametrize("rate_hz", [250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("frequency", [1.0, 8.0, 20.0])
def test_what_the_lower_rate_can_hold_stays(rate_hz, frequency):
    limited = limit_rate(tone(frequency, rate_hz), rate_hz, 100.0)

    assert limited.rate_hz == 100.0
    expected = tone(frequency, 100.0)
    np.testing.assert_allclose(limited.signals[:, 50:-50], expected[:, 50:-50], atol=0.03)


def test_what_the_lower_rate_cannot_hold_is_taken_out_not_folded_back():
    limited = limit_rate(tone(90, 500), 500, 100.0)

    assert np.abs(limited.signals[:, 50:-50]).max() < 0.02


def test_invalid_samples_stay_invalid_and_do_not_spread():
    signals = tone(1, 500)
    signals[0, 1000:1500] = np.nan

    limited = limit_rate(signals, 500, 100.0).signals[0]

    assert np.isnan(limited[201:299]).all()
    assert not np.isnan(limited[:199]).any() and not np.isnan(limited[302:]).any()
    assert np.isnan(limit_rate(np.full((1, 5000), np.nan, np.float32), 500, 100.0).signals).all()
