"""The plot of a record for people: a large picture, or an SVG whose unit is the millimetre.

Both show the layout and scale of `contracts/renderer.py` at the record's own rate. Nothing that
came with the record but its samples goes into them.
"""

from __future__ import annotations

from dataclasses import replace
from html import escape

import numpy as np
from PIL import Image

from contracts.layouts import LEFT_MM, PageLayout, Panel, page_layout
from contracts.modality import RenderSpec
from contracts.records import Millivolts, Waveform
from contracts.renderer import PageStyle, render, window
from contracts.resampling import limit_rate

PLOT_PIXELS_PER_MM = 6.0
_SVG_TRACE_HZ = 250.0
_STYLE = PageStyle(line_mm=0.35)


def plot_image(
    waveform: Waveform, spec: RenderSpec | None = None, pixels_per_mm: float = PLOT_PIXELS_PER_MM
) -> Image.Image:
    """Draw a record for people: 1,581 x 905 pixels in the standard layout by default."""
    spec = replace(spec or RenderSpec(), pixels_per_mm=pixels_per_mm, trace_hz=None)
    return render(waveform, spec, _STYLE)


def plot_svg(waveform: Waveform, spec: RenderSpec | None = None) -> str:
    """Draw a record as an SVG document without script, style sheet or reference to elsewhere."""
    spec = spec or RenderSpec()
    page, shown = page_layout(spec), window(waveform)
    limited = limit_rate(shown.signals_mv, shown.sampling_rate_hz, _SVG_TRACE_HZ)
    traces = [
        path
        for panel in page.panels
        for path in _paths(
            limited.signals[shown.lead_names.index(panel.lead)], limited.rate_hz, panel, spec
        )
    ]
    width, height = f"{page.width_mm:g}", f"{page.height_mm:g}"
    return "".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
            f'viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="12-lead ECG, {spec.mm_per_second:g} mm/s, '
            f'{spec.mm_per_millivolt:g} mm/mV">',
            f'<rect width="{width}" height="{height}" fill="{_hex(_STYLE.paper)}"/>',
            _grid(page),
            f'<path d="{" ".join([*_pulses(page, spec), *traces])}" fill="none" '
            f'stroke="{_hex(_STYLE.trace)}" stroke-width="{_STYLE.line_mm:g}" '
            'stroke-linejoin="round"/>',
            *(_label(panel, page) for panel in page.panels),
            "</svg>",
        ]
    )


def _hex(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _grid(page: PageLayout) -> str:
    """Lines every millimetre and, stronger, every five."""
    parts = []
    for period, width, colour in ((1, 0.1, _STYLE.minor), (5, 0.25, _STYLE.major)):
        down = [f"M{x} 0V{page.height_mm:g}" for x in range(0, int(page.width_mm) + 1, period)]
        across = [f"M0 {y}H{page.width_mm:g}" for y in range(0, int(page.height_mm) + 1, period)]
        lines = "".join([*down, *across])
        parts.append(f'<path d="{lines}" stroke="{_hex(colour)}" stroke-width="{width:g}"/>')
    return "".join(parts)


def _pulses(page: PageLayout, spec: RenderSpec) -> list[str]:
    """The calibration pulse of 1 mV and 5 mm before each row."""
    left = LEFT_MM - 8
    height = spec.mm_per_millivolt
    return [
        f"M{left:g} {baseline:g}h1v{-height:g}h5v{height:g}h1" for baseline in page.baselines_mm
    ]


def _paths(signal: Millivolts, rate_hz: float, panel: Panel, spec: RenderSpec) -> list[str]:
    """One path per stretch of valid samples."""
    first = round(panel.start_seconds * rate_hz)
    part = signal[first : first + round(panel.seconds * rate_hz) + 1].astype(np.float64)
    across = panel.left_mm + np.arange(len(part)) / rate_hz * spec.mm_per_second
    down = panel.baseline_mm - part * spec.mm_per_millivolt
    breaks = np.flatnonzero(np.diff(np.isnan(part).astype(int))) + 1
    stretches = np.split(np.arange(len(part)), breaks)
    return [
        "M" + " ".join(f"{across[place]:.2f} {down[place]:.2f}" for place in stretch)
        for stretch in stretches
        if len(stretch) > 1 and not np.isnan(part[stretch[0]])
    ]


def _label(panel: Panel, page: PageLayout) -> str:
    top = panel.baseline_mm - 0.36 * page.row_mm
    return (
        f'<text x="{panel.left_mm + 1:g}" y="{top:.2f}" font-family="sans-serif" '
        f'font-size="{_STYLE.text_mm:g}" dominant-baseline="middle">{escape(panel.lead)}</text>'
    )
