"""From millivolts to an ECG page as a picture: fixed physical scale, grid, calibration pulse.

The same code draws the pages that the network is trained on, the page of a served record, and
the larger plot for people. Voltages are never rescaled per lead; only the median of each lead in
the shown window is taken out, as every recorder does, so that an electrode offset does not push
the trace off the page. Traces are antialiased by area: a pixel is as dark as the share of it that
the line covers. Where each lead lies is decided in `contracts/layouts.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from contracts.layouts import LEFT_MM, PAGE_SECONDS, PageLayout, Panel, page_layout
from contracts.modality import RenderSpec
from contracts.records import Millivolts, Waveform
from contracts.resampling import limit_rate

Colour = tuple[int, int, int]
_Floats = NDArray[np.float32]

_MINOR_MM, _MAJOR_MM = 1.0, 5.0
_PULSE_MM, _PULSE_MV = 5.0, 1.0
_LABEL_ABOVE = 0.36  # of the row height, from the zero line up


@dataclass(frozen=True, slots=True)
class PageStyle:
    """Ink and paper. `line_mm` is the width of the trace, never drawn thinner than a pixel."""

    paper: Colour = (255, 255, 255)
    minor: Colour = (250, 222, 222)
    major: Colour = (240, 178, 178)
    trace: Colour = (16, 16, 24)
    line_mm: float = 0.4
    text_mm: float = 3.6
    labels: bool = True
    pulse: bool = True


def render(waveform: Waveform, spec: RenderSpec, style: PageStyle | None = None) -> Image.Image:
    """Draw ten seconds of a record as an RGB page.

    A longer record shows its middle ten seconds, a shorter one starts at the left and leaves the
    rest of the page empty. Invalid samples leave gaps. Traces are drawn at no more than
    `spec.trace_hz`.
    """
    style = style or PageStyle()
    page = page_layout(spec)
    shown = window(waveform)
    limited = limit_rate(shown.signals_mv, shown.sampling_rate_hz, spec.trace_hz)
    ink = _pulse_ink(page, spec, style)
    for panel in page.panels:
        signal = limited.signals[shown.lead_names.index(panel.lead)]
        _draw_panel(ink, panel, signal, limited.rate_hz, spec, style)
    image = _background(spec, style).copy()
    _lay(image, ink, style.trace)
    return image


def window(waveform: Waveform) -> Waveform:
    """Return the part of a record that a page shows, without the median of each lead."""
    length = round(PAGE_SECONDS * waveform.sampling_rate_hz)
    start = max(0, (waveform.signals_mv.shape[1] - length) // 2)
    signals = waveform.signals_mv[:, start : start + length]
    known = np.where(np.isnan(signals).all(axis=1, keepdims=True), np.float32(0), signals)
    centred = (signals - np.nanmedian(known, axis=1, keepdims=True)).astype(np.float32)
    return Waveform(centred, waveform.sampling_rate_hz, waveform.lead_names)


def page_pixels(spec: RenderSpec) -> tuple[int, int]:
    """Return width and height of a page in pixels."""
    page = page_layout(spec)
    return round(page.width_mm * spec.pixels_per_mm), round(page.height_mm * spec.pixels_per_mm)


def _draw_panel(
    ink: _Floats,
    panel: Panel,
    signal: Millivolts,
    rate_hz: float,
    spec: RenderSpec,
    style: PageStyle,
) -> None:
    """Add one stretch of one lead to the ink."""
    scale = spec.pixels_per_mm
    left = round(panel.left_mm * scale)
    right = round((panel.left_mm + panel.seconds * spec.mm_per_second) * scale)
    pixels_per_second = spec.mm_per_second * scale
    steps = max(4, int(np.ceil(rate_hz / pixels_per_second)))
    positions = np.arange((right - left) * steps + 1) / (steps * pixels_per_second)
    seconds = panel.start_seconds + np.minimum(positions, panel.seconds)
    times = np.arange(len(signal)) / rate_hz
    values = np.interp(seconds, times, signal, right=np.nan)
    heights = (panel.baseline_mm - values * spec.mm_per_millivolt) * scale
    _stroke(ink, left, heights, steps, max(1.0, style.line_mm * scale))


def _stroke(
    ink: _Floats, left: int, heights: NDArray[np.float64], steps: int, width: float
) -> None:
    """Cover the pixels between the highest and the lowest point of the trace in each column.

    `heights` holds `steps` points per pixel column and one more; neighbours share their edge, so
    that the line has no holes.
    """
    columns = (len(heights) - 1) // steps
    inner = heights[:-1].reshape(columns, steps)
    edge = heights[steps::steps]
    top, bottom = _thicken(
        np.minimum(inner.min(axis=1), edge), np.maximum(inner.max(axis=1), edge), width
    )
    drawn = ~np.isnan(top + bottom)
    if not drawn.any():
        return
    first = int(np.clip(np.floor(top[drawn].min()), 0, ink.shape[0]))
    last = int(np.clip(np.ceil(bottom[drawn].max()), 0, ink.shape[0]))
    rows = np.arange(first, last, dtype=np.float32)[:, None]
    lows, highs = np.nan_to_num(top).astype(np.float32), np.nan_to_num(bottom).astype(np.float32)
    cover = np.minimum(rows + 1, highs) - np.maximum(rows, lows)
    cover = np.clip(cover, 0, 1) * drawn
    area = ink[first:last, left : left + columns]
    np.maximum(area, cover[:, : area.shape[1]], out=area)


def _thicken(
    top: NDArray[np.float64], bottom: NDArray[np.float64], width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Widen the line by a round nib, so that steep strokes are as thick as level ones."""
    reach = int(width / 2)
    tops, bottoms = np.pad(top, reach, mode="edge"), np.pad(bottom, reach, mode="edge")
    thick_top, thick_bottom = top - width / 2, bottom + width / 2
    for shift in range(-reach, reach + 1):
        nib = np.sqrt((width / 2) ** 2 - shift**2)
        part = slice(reach + shift, reach + shift + len(top))
        thick_top = np.minimum(thick_top, tops[part] - nib)
        thick_bottom = np.maximum(thick_bottom, bottoms[part] + nib)
    return thick_top, thick_bottom


@lru_cache(maxsize=64)
def _background(spec: RenderSpec, style: PageStyle) -> Image.Image:
    """Paper, grid and lead names; the same for every record of a spec and style. Never changed."""
    width, height = page_pixels(spec)
    image = Image.new("RGB", (width, height), style.paper)
    for period, line_mm, colour in (
        (_MINOR_MM, 0.1, style.minor),
        (_MAJOR_MM, 0.25, style.major),
    ):
        across = _grid_cover(width, spec.pixels_per_mm, period, line_mm)[None, :]
        down = _grid_cover(height, spec.pixels_per_mm, period, line_mm)[:, None]
        _lay(image, 1 - (1 - across) * (1 - down), colour)
    if style.labels:
        _write_labels(image, spec, style)
    return image


def _grid_cover(pixels: int, pixels_per_mm: float, period_mm: float, line_mm: float) -> _Floats:
    """Share of each pixel that lies under lines of a width, drawn every period."""
    edges = np.arange(pixels + 1) / pixels_per_mm + line_mm / 2
    covered = np.floor(edges / period_mm) * line_mm + np.minimum(edges % period_mm, line_mm)
    return (np.diff(covered) * pixels_per_mm).astype(np.float32)


def _write_labels(image: Image.Image, spec: RenderSpec, style: PageStyle) -> None:
    """Write each lead's name above the start of its panel."""
    page = page_layout(spec)
    font = ImageFont.load_default(max(7.0, style.text_mm * spec.pixels_per_mm))
    draw = ImageDraw.Draw(image)
    for panel in page.panels:
        top_mm = panel.baseline_mm - _LABEL_ABOVE * page.row_mm
        place = ((panel.left_mm + 1) * spec.pixels_per_mm, top_mm * spec.pixels_per_mm)
        draw.text(place, panel.lead, fill=style.trace, font=font, anchor="lm")


def _pulse_ink(page: PageLayout, spec: RenderSpec, style: PageStyle) -> _Floats:
    """Return an empty sheet of ink with the calibration pulse of 1 mV and 0.2 s in each row."""
    width, height = page_pixels(spec)
    ink = np.zeros((height, width), dtype=np.float32)
    if not style.pulse:
        return ink
    scale, line = spec.pixels_per_mm, max(1.0, style.line_mm * spec.pixels_per_mm)
    left, right = ((LEFT_MM - 2 - _PULSE_MM) * scale, (LEFT_MM - 2) * scale)
    edge = np.arange(int(left) - round(scale), int(right) + round(scale) + 1)
    up = (edge >= int(left)) & (edge < int(right))
    for baseline_mm in page.baselines_mm:
        level = np.where(up, _PULSE_MV * spec.mm_per_millivolt, 0.0)
        _stroke(ink, int(edge[0]), (baseline_mm - level) * scale, 1, line)
    return ink


def _lay(image: Image.Image, cover: _Floats, colour: Colour) -> None:
    """Lay a colour over a page in place, as dark as the cover says, 0 to 1."""
    mask = (cover * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    image.paste(colour, mask=Image.fromarray(mask))
