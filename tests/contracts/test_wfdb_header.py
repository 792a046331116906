import time

import pytest

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.wfdb_header import DEFAULT_GAIN, parse_header

FIELDS = {
    "record": "100",
    "count": "2",
    "rate": "100",
    "samples": "1000",
    "storage": "100.dat 16",
    "gain": "1000(0)/mV",
    "tail": "16 0 5 77 0",
}


def header(**changes: str) -> bytes:
    use = FIELDS | changes
    record = f"{use['record']} {use['count']} {use['rate']} {use['samples']}"
    signal = f"{use['storage']} {use['gain']} {use['tail']}"
    return f"{record}\n{signal} I\n{signal} II\n".encode()


def code_of(content: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse_header(content)
    return caught.value.code


def test_a_header_becomes_numbers():
    parsed = parse_header(b"# comment\r\n" + header(gain="200.0(1024)/uV") + b"\n# age: 5\n")

    assert (parsed.sampling_rate_hz, parsed.samples, parsed.signal_format) == (100.0, 1000, 16)
    first = parsed.signals[0]
    assert (first.name, first.gain, first.baseline) == ("I", 200_000.0, 1024)
    assert (first.initial_value, first.checksum) == (5, 77)


def test_counter_frequency_and_start_time_are_read_over():
    parsed = parse_header(header(rate="360/100.5(3)", samples="1000 12:30:00 20/11/2026"))

    assert parsed.sampling_rate_hz == 360.0


def test_an_absent_gain_is_the_default_and_an_absent_length_stays_open():
    parsed = parse_header(b"100 2 100\n100.dat 212\n100.dat 212\n")

    assert (parsed.samples, parsed.signals[0].gain) == (None, DEFAULT_GAIN)


def test_the_adc_zero_is_the_baseline_when_none_is_stated():
    parsed = parse_header(header(gain="200", tail="11 1024 995 77 0"))

    assert parsed.signals[0].baseline == 1024


@pytest.mark.parametrize(
    "rate", ["nan", "inf", "1e308", "0", "-100", "49.9", "5001", "1_00", "१००"]
)
def test_W4_a_sampling_rate_that_is_no_sane_number_is_refused(rate):
    assert code_of(header(rate=rate)) == "bad_header"


@pytest.mark.parametrize("gain", ["0", "0(0)/mV", "1e-320", "-5", "nan", "200/mmHg", "200(x)/mV"])
def test_W4_a_gain_that_is_no_sane_number_of_millivolts_is_refused(gain):
    assert code_of(header(gain=gain)) == "bad_header"


@pytest.mark.parametrize("count", ["0", "1", "33", "1000000000", "3", "-2", "2.0"])
def test_W3_a_number_of_signals_out_of_range_or_contradicted_is_refused(count):
    assert code_of(header(count=count)) == "bad_header"


@pytest.mark.parametrize("samples", ["1000000000000", "-1", "1e3", "nan"])
def test_W3_a_length_out_of_range_is_refused(samples):
    assert code_of(header(samples=samples)) == "bad_header"


@pytest.mark.parametrize("record", ["100/2", "100/100"])
def test_W3_a_record_of_segments_is_refused(record):
    assert code_of(header(record=record)) == "bad_header"


@pytest.mark.parametrize("storage", ["a 16x2", "a 16:100000", "a 16x1000000", "a x", "a 16+-1"])
def test_W3_frames_skew_and_broken_formats_are_refused(storage):
    assert code_of(header(storage=storage)) == "bad_header"


def test_signals_in_two_files_are_refused():
    content = header().replace(
        b"100.dat 16 1000(0)/mV 16 0 5 77 0 II", b"b.dat 16 200 16 0 5 7 0 II"
    )

    assert code_of(content) == "bad_header"


@pytest.mark.parametrize("number", [0, 8, 24, 32, 61, 160, 310, 311, 508, 516, 524])
def test_W7_other_signal_formats_are_of_an_unsupported_type(number):
    with pytest.raises(UnsupportedMediaType) as caught:
        parse_header(header(storage=f"100.dat {number}"))

    assert caught.value.code == "unsupported_signal_format"


@pytest.mark.parametrize("content", [b"", b"\n\n", b"# only\n", b"\x00\x01 2 100\n", b"100 2\n"])
def test_W4_a_header_without_a_record_line_is_refused(content):
    assert code_of(content) == "bad_header"


@pytest.mark.parametrize("length", [256, 8 * 1024, 16 * 1024, 200 * 1024])
def test_W2_a_long_line_is_refused_before_any_pattern_runs(length):
    started = time.thread_time()

    assert code_of(b"1" * length + b"\n" + header()) == "bad_header"
    assert time.thread_time() - started < 0.05


def test_W2_a_long_comment_is_refused_like_any_long_line():
    assert parse_header(b"#" * 255 + b"\n" + header()).samples == 1000
    assert code_of(b"#" * 256 + b"\n" + header()) == "bad_header"


def test_W2_many_short_lines_are_refused_by_the_length_of_the_header():
    assert code_of(b"# comment\n" * 1000 + header()) == "bad_header"


def test_a_message_never_repeats_what_was_sent():
    with pytest.raises(InvalidInput) as caught:
        parse_header(header(rate="secret-rate"))

    assert "secret" not in caught.value.detail
