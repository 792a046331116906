from dataclasses import replace

import numpy as np
import pytest

from contracts.modality import RenderSpec
from contracts.records import Waveform
from contracts.registry import get_modality
from contracts.renderer import render
from tests.contracts.wfdb_samples import counts_of, synthetic_ecg, wfdb_header
from tests.cpu_time import least_cpu_seconds
from training.ecg.pages import PageVariation, degrade, page_loader, random_page, vary_signal

ECG = get_modality("ecg")
STILL = PageVariation(0, 0, 0, 0, 0, 0, restyled=1, other_layout=False, degraded=0)


def record() -> Waveform:
    return Waveform(synthetic_ecg(noise_mv=0.01).astype(np.float32), 100.0)


@pytest.fixture
def headers(tmp_path):
    paths = []
    for index, rate in enumerate((60.0, 90.0)):
        counts = counts_of(synthetic_ecg(rate))
        path = tmp_path / f"r{index}.hea"
        path.write_text(wfdb_header(counts))
        path.with_suffix(".dat").write_bytes(counts.T.astype("<i2").tobytes())
        paths.append(path)
    return paths


def test_variant_zero_is_the_page_that_is_served(headers):
    from contracts.decoder import decode_input
    from training.ecg.records import pack

    load = page_loader(headers, ECG)

    for index, path in enumerate(headers):
        served = decode_input(pack(path), ECG).image
        assert load(index, 0).tobytes() == served.tobytes()


def test_a_variant_is_the_same_each_time_and_unlike_the_others(headers):
    load, again = page_loader(headers, ECG), page_loader(headers, ECG)

    pages = [load(0, variant) for variant in range(6)]

    assert all(page.tobytes() == again(0, variant).tobytes() for variant, page in enumerate(pages))
    assert len({page.tobytes() for page in pages}) == 6


def test_another_start_is_the_only_change_when_all_else_is_switched_off():
    varied = vary_signal(record(), np.random.default_rng(3), STILL)

    shift = next(
        shift
        for shift in range(1000)
        if np.allclose(np.roll(record().signals_mv, shift, axis=1), varied.signals_mv)
    )

    assert shift > 0
    assert varied.sampling_rate_hz == 100.0


def test_voltages_keep_their_scale_within_the_stated_gain():
    variation = replace(STILL, gain=0.08, lead_gain=0.05)

    for seed in range(20):
        varied = vary_signal(record(), np.random.default_rng(seed), variation)
        change = np.ptp(varied.signals_mv, axis=1) / np.ptp(record().signals_mv, axis=1)
        assert (np.abs(np.log(change)) <= 0.131).all()


def test_a_lost_lead_is_a_flat_line():
    varied = vary_signal(record(), np.random.default_rng(0), replace(STILL, lost_lead=1.0))

    assert (np.ptp(varied.signals_mv, axis=1) == 0).sum() == 1


def test_a_degraded_page_is_never_mirrored():
    short = Waveform(record().signals_mv[:, :300], 100.0)

    for seed in range(10):
        page = degrade(render(short, RenderSpec()), np.random.default_rng(seed))
        grey = np.asarray(page.convert("L"), dtype=float)
        rough = np.abs(np.diff(grey, axis=0)).mean(axis=0)
        assert rough[20:140].mean() > 1.5 * rough[240:420].mean()


def test_a_random_page_costs_a_few_times_what_a_page_costs():
    random, known = np.random.default_rng(0), record()

    page, pages = least_cpu_seconds(
        lambda: render(known, RenderSpec()),
        lambda: [random_page(known, random) for _ in range(8)],
        rounds=4,
    )

    assert pages / 8 < 5 * page
