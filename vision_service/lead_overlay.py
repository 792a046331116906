"""The plot of a record with a coloured band along each trace, as strong as its influence there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from contracts.modality import RenderSpec
from contracts.records import Waveform
from contracts.renderer import PageStyle, render
from vision_service.leads import PanelInfluence

_WHITE = (255, 255, 255)
#: The trace alone as a broad stroke: the band that is coloured.
_BAND = PageStyle(
    paper=_WHITE,
    minor=_WHITE,
    major=_WHITE,
    trace=(0, 0, 0),
    line_mm=4.0,
    labels=False,
    pulse=False,
)
_COLOUR = np.array([255, 84, 0], dtype=np.float32) / 255
_STRONGEST = 0.85


def draw_lead_overlay(
    waveform: Waveform, panels: Sequence[PanelInfluence], page: RenderSpec
) -> Image.Image:
    """Return the page at the scale of `page` with its traces marked; ink and grid stay readable.

    The strongest influence on any lead is the full colour; without influence nothing is marked.
    """
    page = replace(page, trace_hz=None)
    plot = np.asarray(render(waveform, page), dtype=np.float32)
    band = 1 - np.asarray(render(waveform, page, _BAND), dtype=np.float32)[..., :1] / 255
    strength = _on_page(panels, plot.shape[:2])[..., None]
    # Multiplied as a text marker does it, so that what lies below stays as dark as it was.
    marked = plot * (1 - _STRONGEST * band * strength * (1 - _COLOUR))
    return Image.fromarray(marked.round().astype(np.uint8))


def _on_page(panels: Sequence[PanelInfluence], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The influence at each pixel `[rows, columns]`, 0 to 1, constant over a panel's height."""
    rows, columns = shape
    strength = np.zeros((rows, columns), dtype=np.float32)
    highest = max((float(panel.over_time.max()) for panel in panels), default=0.0)
    if highest <= 0:
        return strength
    for panel in panels:
        box = panel.box
        top, bottom = round(box.top * rows), round((box.top + box.height) * rows)
        left, right = round(box.left * columns), round((box.left + box.width) * columns)
        places = np.linspace(0, len(panel.over_time) - 1, right - left)
        over_time = np.interp(places, np.arange(len(panel.over_time)), panel.over_time)
        strength[top:bottom, left:right] = over_time / highest
    return strength
