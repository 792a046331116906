import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from contracts.layouts import LEFT_MM, page_layout
from contracts.modality import RenderSpec
from contracts.records import LEADS, Waveform
from contracts.registry import get_modality
from contracts.renderer import PageStyle, page_pixels, render, window
from tests.contracts.wfdb_samples import synthetic_ecg
from tests.cpu_time import least_cpu_seconds

GOLDEN = Path(__file__).parents[1] / "golden"
PLAIN = PageStyle(
    minor=(255, 255, 255), major=(255, 255, 255), trace=(0, 0, 0), labels=False, pulse=False
)
SPEC = RenderSpec(pixels_per_mm=4.0)
NUMBERS = itertools.count()


def waveform(signals=None, rate_hz: float = 100.0) -> Waveform:
    signals = synthetic_ecg(rate_hz=rate_hz) if signals is None else signals
    return Waveform(np.asarray(signals, dtype=np.float32), rate_hz)


def dark_rows(image, left_mm: float, right_mm: float, spec=SPEC):
    """Height in millimetres of the darkest pixel of each column in a stretch of the page."""
    grey = np.asarray(image.convert("L"), dtype=float)
    columns = slice(round(left_mm * spec.pixels_per_mm), round(right_mm * spec.pixels_per_mm))
    return (grey[:, columns].argmin(axis=0) + 0.5) / spec.pixels_per_mm


def test_the_page_of_the_registry_is_the_input_of_the_network():
    modality = get_modality("ecg")
    assert modality.render is not None and modality.image is not None

    image = render(waveform(), modality.render)

    assert (image.mode, image.size) == (
        "RGB",
        (modality.image.base_width, modality.image.base_height),
    )


def test_a_known_record_gives_the_same_page_on_every_machine_and_day():
    golden = np.asarray(Image.open(GOLDEN / "ecg_page.png").convert("RGB"), dtype=int)

    image = np.asarray(render(waveform(), RenderSpec()), dtype=int)

    assert image.shape == golden.shape
    assert np.abs(image - golden).max() <= 2


def test_one_millivolt_is_ten_millimetres_and_one_second_is_twenty_five():
    signals = np.zeros((12, 1000))
    signals[0, 100:140] = 1.0
    panel = page_layout(SPEC).panels[0]

    heights = dark_rows(render(waveform(signals), SPEC, PLAIN), panel.left_mm, LEFT_MM + 60)
    grey = np.asarray(render(waveform(signals), SPEC, PLAIN).convert("L"))
    high = grey[round((panel.baseline_mm - 10) * 4)] < 100

    np.testing.assert_allclose(heights[:90], panel.baseline_mm, atol=0.3)
    assert np.flatnonzero(high).min() / 4 == pytest.approx(LEFT_MM + 25, abs=0.6)
    assert np.flatnonzero(high).max() / 4 == pytest.approx(LEFT_MM + 35, abs=0.6)


def test_voltage_is_never_rescaled():
    small, large = synthetic_ecg() / 2, synthetic_ecg()

    lowest = [
        np.flatnonzero((np.asarray(render(waveform(s), SPEC, PLAIN)) < 128).any(axis=(1, 2))).min()
        for s in (small, large)
    ]

    baseline = page_layout(SPEC).panels[0].baseline_mm * 4
    assert (baseline - lowest[1]) / (baseline - lowest[0]) == pytest.approx(2, rel=0.12)


def test_a_constant_offset_does_not_move_the_trace():
    shifted = synthetic_ecg() + np.linspace(-3, 3, 12)[:, None]

    one = np.asarray(render(waveform(), SPEC), dtype=int)
    other = np.asarray(render(waveform(shifted), SPEC), dtype=int)

    assert np.abs(one - other).max() <= 8


def test_an_offset_of_one_lead_changes_nothing_in_another():
    signals = synthetic_ecg()
    signals[3] *= 3
    panels = page_layout(SPEC).panels
    right = round((panels[3].left_mm - 1) * 4)

    one, other = render(waveform(), SPEC), render(waveform(signals), SPEC)

    np.testing.assert_array_equal(np.asarray(one)[:, :right], np.asarray(other)[:, :right])
    assert np.asarray(one)[:, right:].tobytes() != np.asarray(other)[:, right:].tobytes()


@pytest.mark.parametrize("layout", ["3x4+1", "6x2", "12x1"])
def test_every_layout_shows_every_lead(layout):
    spec = replace(SPEC, layout=layout)
    empty = np.asarray(render(waveform(np.zeros((12, 1000))), spec, PLAIN))

    for row, lead in enumerate(LEADS):
        signals = np.zeros((12, 1000))
        signals[row] = synthetic_ecg()[1]
        image = np.asarray(render(waveform(signals), spec, PLAIN))
        changed = (image != empty).any(axis=2)
        panel = next(panel for panel in page_layout(spec).panels if panel.lead == lead)
        left = round(panel.left_mm * 4)
        assert changed[:, left : left + round(panel.seconds * 100)].any()


def test_a_long_record_shows_its_middle_ten_seconds():
    signals = synthetic_ecg(seconds=30)

    shown = window(waveform(signals))

    assert shown.duration_seconds == 10
    expected = signals[1, 1000:2000] - np.median(signals[1, 1000:2000])
    np.testing.assert_allclose(shown.signals_mv[1], expected, atol=1e-5)


def test_a_short_record_leaves_the_rest_of_the_page_empty():
    image = np.asarray(render(waveform(synthetic_ecg(seconds=2)), SPEC, PLAIN))

    behind = round((LEFT_MM + 2 * 25 + 1) * 4)

    assert (image[:, :behind] < 128).any()
    assert (image[:, behind:] == 255).all()


def test_invalid_samples_leave_a_gap_and_an_invalid_lead_leaves_nothing():
    signals = synthetic_ecg()
    signals[0, 100:200] = np.nan
    signals[1] = np.nan
    panels = page_layout(SPEC).panels

    image = np.asarray(render(waveform(signals), SPEC, PLAIN))

    gap = image[: round(1.4 * 37.7 * 4), round((LEFT_MM + 26) * 4) : round((LEFT_MM + 49) * 4)]
    second = slice(round((panels[1].baseline_mm - 3) * 4), round((panels[1].baseline_mm + 3) * 4))
    assert (gap == 255).all()
    assert (image[second, : round((LEFT_MM + 60) * 4)] == 255).all()


def test_a_record_of_500_hz_looks_like_one_of_100_hz():
    slow = np.asarray(render(waveform(), RenderSpec(), PLAIN), dtype=int)
    fast = np.asarray(render(waveform(rate_hz=500.0), RenderSpec(), PLAIN), dtype=int)

    assert np.abs(slow - fast).mean() < 0.4


def test_the_trace_has_no_holes():
    image = np.asarray(render(waveform(), SPEC, PLAIN).convert("L"))
    rhythm = page_layout(SPEC).panels[-1]
    top = round((rhythm.baseline_mm - 18) * 4)
    stretch = image[top:, round(rhythm.left_mm * 4) : round((rhythm.left_mm + 249) * 4)]

    inked = stretch < 200

    assert inked.any(axis=0).all()
    tops = inked.argmax(axis=0)
    bottoms = inked.shape[0] - 1 - inked[::-1].argmax(axis=0)
    assert (tops[1:] <= bottoms[:-1] + 1).all() and (bottoms[1:] >= tops[:-1] - 1).all()


def test_the_calibration_pulse_is_one_millivolt():
    style = replace(PLAIN, pulse=True)

    heights = dark_rows(render(waveform(np.zeros((12, 1000))), SPEC, style), 5.5, 7.5)

    assert heights.min() == pytest.approx(page_layout(SPEC).panels[0].baseline_mm - 10, abs=0.4)


def test_the_grid_is_evenly_spaced_at_any_scale():
    style = replace(PLAIN, major=(255, 0, 0))
    image = np.asarray(render(waveform(np.full((12, 1000), np.nan)), SPEC, style))[..., 1]

    lines = np.flatnonzero(image[2] < 200)

    assert set(np.diff(lines)) <= {1, 19, 20}


def drawn_larger_and_shrunk():
    """The usual way to antialias as many traces as a page has."""
    width, height = page_pixels(RenderSpec())
    image = Image.new("RGB", (4 * width, 4 * height))
    draw = ImageDraw.Draw(image)
    for lead in range(17):
        draw.line([(x, 100 + x * lead % 50) for x in range(4 * width)], width=3)
    image.resize((width, height))


def test_a_page_costs_little_cpu_time_and_its_paper_is_drawn_once_in_a_style():
    def in_a_new_style():
        style = PageStyle(line_mm=0.4 + next(NUMBERS) * 1e-9)
        render(record, RenderSpec(), style)

    record = waveform()
    again, first, plain = least_cpu_seconds(
        lambda: render(record, RenderSpec()), in_a_new_style, drawn_larger_and_shrunk, rounds=12
    )

    assert again < plain / 3
    assert again < 0.9 * first


@pytest.mark.parametrize("layout", ["3x4+1", "6x2", "12x1"])
def test_no_panel_leaves_the_page(layout):
    spec = replace(SPEC, layout=layout)
    page = page_layout(spec)

    for panel in page.panels:
        assert panel.left_mm + panel.seconds * spec.mm_per_second <= page.width_mm
        assert 0 < panel.baseline_mm < page.height_mm
    assert page_pixels(spec) == render(waveform(), spec).size
