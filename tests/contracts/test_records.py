import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.errors import InvalidInput, UnsupportedMediaType
from contracts.records import LEADS, RecordLimits, decode_record
from tests.contracts.wfdb_samples import (
    counts_of,
    record_zip,
    synthetic_ecg,
    wfdb_header,
    zip_of,
)
from training.ecg.records import pack, read_waveform

SHARED = Path(__file__).parents[3] / "shared" / "data" / "ecg" / "records100"


def code_of(payload: bytes) -> str:
    with pytest.raises(InvalidInput) as caught:
        decode_record(payload)
    return caught.value.code


def write_with_wfdb(folder: Path, signal_format: str, samples: int, rate_hz: float):
    wfdb = pytest.importorskip("wfdb")
    signals = synthetic_ecg(rate_hz=rate_hz, seconds=samples / rate_hz, noise_mv=0.02).T[:samples]
    gain = [50.0 if signal_format == "80" else 300.0] * 12
    wfdb.wrsamp(
        "sample",
        fs=rate_hz,
        units=["mV"] * 12,
        sig_name=list(LEADS),
        p_signal=signals,
        fmt=[signal_format] * 12,
        adc_gain=gain,
        baseline=[7] * 12,
        write_dir=str(folder),
    )
    return wfdb.rdrecord(str(folder / "sample")).p_signal.T.astype(np.float32)


@pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame")  # wfdb under pandas 3.1
@pytest.mark.parametrize("signal_format", ["16", "212", "80"])
@pytest.mark.parametrize(("samples", "rate_hz"), [(1000, 100), (2501, 250), (333, 128.5)])
def test_a_record_that_wfdb_wrote_is_read_as_wfdb_reads_it(
    tmp_path, signal_format, samples, rate_hz
):
    expected = write_with_wfdb(tmp_path, signal_format, samples, rate_hz)

    waveform = read_waveform(tmp_path / "sample.hea")

    np.testing.assert_array_equal(waveform.signals_mv, expected)
    assert waveform.sampling_rate_hz == rate_hz
    assert waveform.duration_seconds == pytest.approx(samples / rate_hz)


def test_an_odd_number_of_format_212_samples_is_read_with_and_without_padding():
    counts = counts_of(synthetic_ecg(rate_hz=101, seconds=1), 300)
    counts = np.vstack([counts, counts[:1]])
    packed = _pack_212(counts.T.ravel())
    header = wfdb_header(
        counts, record="r 13 101 101", storage="r.dat 212", gain="300", leads=(*LEADS, "VX")
    )

    for size in (len(packed), len(packed) - 1):
        payload = zip_of(("r.hea", header), ("r.dat", packed[:size]))
        np.testing.assert_allclose(decode_record(payload).signals_mv, counts[:12] / 300, rtol=1e-6)


def _pack_212(flat):
    even = np.append(flat, 0) if len(flat) % 2 else flat
    first, second = even[::2].astype(int) & 0xFFF, even[1::2].astype(int) & 0xFFF
    triples = [first & 0xFF, first >> 8 | second >> 8 << 4, second & 0xFF]
    return np.stack(triples, 1).astype(np.uint8).tobytes()


@pytest.mark.skipif(not SHARED.is_dir(), reason="the optional PTB-XL sample is not there")
def test_every_ptb_xl_record_is_read_as_wfdb_reads_it():
    wfdb = pytest.importorskip("wfdb")
    headers = sorted(SHARED.glob("*.hea"))

    for header in headers:
        expected = wfdb.rdrecord(str(header.with_suffix(""))).p_signal.T.astype(np.float32)
        np.testing.assert_array_equal(read_waveform(header).signals_mv, expected)

    assert headers


def test_leads_come_in_standard_order_whatever_their_order_and_case():
    signals = synthetic_ecg()
    order = [11, 3, 0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    counts = counts_of(signals)[order]
    names = [LEADS[index].upper() if index % 2 else LEADS[index].lower() for index in order]
    header = wfdb_header(counts, leads=names)

    waveform = decode_record(zip_of(("r.hea", header), ("r.dat", counts.T.astype("<i2").tobytes())))

    np.testing.assert_allclose(waveform.signals_mv, counts_of(signals) / 1000, atol=1e-6)
    assert waveform.lead_names == LEADS
    np.testing.assert_array_equal(waveform.lead("V6"), waveform.signals_mv[11])


def test_W5_missing_leads_are_named():
    counts = counts_of(synthetic_ecg())
    header = wfdb_header(counts, leads=[*LEADS[:10], "MLII", "X"])

    with pytest.raises(InvalidInput) as caught:
        decode_record(record_zip(header=header))

    assert caught.value.code == "missing_leads"
    assert "V5, V6" in caught.value.detail


def test_W5_a_lead_that_comes_twice_is_refused():
    header = wfdb_header(counts_of(synthetic_ecg()), leads=["I", "i", *LEADS[2:]])

    assert code_of(record_zip(header=header)) == "bad_header"


def test_W5_the_invalid_sample_code_becomes_nan():
    counts = counts_of(synthetic_ecg())
    counts[3, 100:200] = -32768
    payload = zip_of(("r.hea", wfdb_header(counts)), ("r.dat", counts.T.astype("<i2").tobytes()))

    signals = decode_record(payload).signals_mv

    assert np.isnan(signals[3, 100:200]).all()
    assert np.isnan(signals).sum() == 100


@pytest.mark.parametrize("change", [-24, -2, -1, 1, 2, 24])
def test_W5_a_signal_file_of_another_length_than_stated_is_refused(change):
    counts = counts_of(synthetic_ecg())
    signals = counts.T.astype("<i2").tobytes()
    signals = signals[:change] if change < 0 else signals + bytes(change)

    payload = zip_of(("r.hea", wfdb_header(counts)), ("r.dat", signals))

    assert code_of(payload) == "bad_header"


def test_a_length_that_is_left_open_is_taken_from_the_file():
    counts = counts_of(synthetic_ecg())
    header = wfdb_header(counts, record="record 12 100")

    assert decode_record(record_zip(header=header)).signals_mv.shape == (12, 1000)


def test_W5_samples_that_do_not_add_up_to_the_checksum_are_refused():
    counts = counts_of(synthetic_ecg())
    header = wfdb_header(counts)
    counts[4, 500] += 1
    payload = zip_of(("r.hea", header), ("r.dat", counts.T.astype("<i2").tobytes()))

    assert code_of(payload) == "bad_header"


def test_W5_another_first_value_than_stated_is_refused():
    counts = counts_of(synthetic_ecg())
    header = wfdb_header(counts)
    counts[0, 0], counts[0, 1] = counts[0, 0] + 1, counts[0, 1] - 1
    payload = zip_of(("r.hea", header), ("r.dat", counts.T.astype("<i2").tobytes()))

    assert code_of(payload) == "bad_header"


def test_samples_may_start_behind_an_offset():
    counts = counts_of(synthetic_ecg())
    header = wfdb_header(counts, storage="record.dat 16+24")
    payload = zip_of(("r.hea", header), ("r.dat", bytes(24) + counts.T.astype("<i2").tobytes()))

    np.testing.assert_allclose(decode_record(payload).signals_mv, counts / 1000, atol=1e-6)


def test_W5_records_under_a_second_or_over_the_limit_are_refused():
    assert code_of(record_zip(synthetic_ecg(seconds=0.99))) == "record_too_short"
    with pytest.raises(InvalidInput) as caught:
        decode_record(record_zip(), RecordLimits(max_samples=11_999))
    assert caught.value.code == "record_too_long"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "http://127.0.0.1/x", "s3://b/x", "~/x"]
)
def test_W1_a_name_in_the_header_is_never_opened(name):
    counts = counts_of(synthetic_ecg())
    payload = record_zip(header=wfdb_header(counts, storage=f"{name} 16"))
    opened: list[str] = []
    active = [True]
    sys.addaudithook(
        lambda event, _: (
            active[0]
            and event in ("open", "socket.connect", "urllib.Request")
            and opened.append(event)
        )
    )

    waveform = decode_record(payload)
    active[0] = False

    assert opened == []
    assert waveform.signals_mv.shape == (12, 1000)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=300))
def test_W4_random_files_are_refused_and_never_crash(header, signals):
    with pytest.raises((InvalidInput, UnsupportedMediaType)):
        decode_record(zip_of(("r.hea", header), ("r.dat", signals)))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_W4_a_damaged_header_is_refused_or_read_and_never_crashes(data):
    header = bytearray(wfdb_header(counts_of(synthetic_ecg())), "ascii")
    for _ in range(data.draw(st.integers(1, 4))):
        header[data.draw(st.integers(0, len(header) - 1))] = data.draw(st.integers(0, 255))
    signals = counts_of(synthetic_ecg()).T.astype("<i2").tobytes()

    try:
        waveform = decode_record(zip_of(("r.hea", bytes(header)), ("r.dat", signals)))
    except (InvalidInput, UnsupportedMediaType):
        return

    assert waveform.signals_mv.shape[0] == 12
    assert 50 <= waveform.sampling_rate_hz <= 5000


def test_packing_needs_both_files(tmp_path):
    from training.manifest import BadManifest

    (tmp_path / "a.hea").write_text("a 2 100\n")

    with pytest.raises(BadManifest):
        pack(tmp_path / "a.hea")
