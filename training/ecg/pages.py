"""Training pages: a record as other days, other recorders and other cameras would show it.

Changes of the signal (start in the rhythm, speed, gain, wander, noise, a lost lead) come before
the drawing, changes of the paper (layout, ink, grid) with it, and changes of the photograph
(tilt, perspective, shadow, blur, JPEG) after it. Never flipped: time runs to the right.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image, ImageFilter

from contracts.modality import Modality, RenderSpec
from contracts.records import Millivolts, Waveform
from contracts.renderer import PageStyle, render
from training.dataset import Loader
from training.ecg.records import read_waveform

Colour = tuple[int, int, int]
Layout = Literal["3x4+1", "6x2", "12x1"]

_LAYOUTS: tuple[Layout, ...] = ("3x4+1", "6x2", "12x1")
_LAYOUT_SHARES = (0.86, 0.08, 0.06)
_INKS: tuple[Colour, ...] = ((16, 16, 24), (0, 0, 0), (30, 40, 110), (60, 60, 60), (90, 20, 40))
#: Minor and major grid lines: pink, red, orange, green, blue, grey, none.
_GRIDS: tuple[tuple[Colour, Colour], ...] = (
    ((250, 222, 222), (240, 178, 178)),
    ((246, 200, 200), (228, 120, 120)),
    ((252, 228, 200), (240, 180, 120)),
    ((216, 238, 216), (160, 208, 160)),
    ((216, 226, 246), (160, 184, 228)),
    ((228, 228, 228), (190, 190, 190)),
    ((255, 255, 255), (255, 255, 255)),
)


@dataclass(frozen=True, slots=True)
class PageVariation:
    """How far pages vary; shares are per page, half-widths are of uniform or log-uniform draws.

    `restyled` pages have another layout, ink and paper; the others are drawn as served.
    """

    stretch: float = 0.06
    gain: float = 0.08
    lead_gain: float = 0.05
    wander_mv: float = 0.12
    noise_mv: float = 0.025
    lost_lead: float = 0.1
    restyled: float = 0.5
    other_layout: bool = True
    degraded: float = 0.5


def page_loader(
    paths: Sequence[Path], modality: Modality, variation: PageVariation | None = None
) -> Loader:
    """Return the function that draws record `index`: variant 0 as served, others at random.

    The same index and variant give the same page. Records are decoded once.
    """
    if modality.render is None:
        raise ValueError(f"{modality.id} draws no pages")
    spec, waveforms = modality.render, [read_waveform(path) for path in paths]

    def load(index: int, variant: int) -> Image.Image:
        if variant == 0:
            return render(waveforms[index], spec)
        random = np.random.default_rng((index, variant))
        return random_page(waveforms[index], random, spec, variation)

    return load


def random_page(
    waveform: Waveform,
    random: np.random.Generator,
    spec: RenderSpec | None = None,
    variation: PageVariation | None = None,
) -> Image.Image:
    """Draw one random page of a record; a restyled one at one to two times the spec's scale."""
    spec, variation = spec or RenderSpec(), variation or PageVariation()
    if random.random() >= variation.restyled:
        return render(vary_signal(waveform, random, variation), spec)
    layout = spec.layout
    if variation.other_layout:
        layout = _LAYOUTS[random.choice(len(_LAYOUTS), p=_LAYOUT_SHARES)]
    scale = spec.pixels_per_mm * float(random.choice([1.0, 1.0, 1.5, 2.0]))
    drawn = replace(spec, layout=layout, pixels_per_mm=scale)
    page = render(vary_signal(waveform, random, variation), drawn, random_style(random))
    return degrade(page, random) if random.random() < variation.degraded else page


def vary_signal(
    waveform: Waveform, random: np.random.Generator, variation: PageVariation
) -> Waveform:
    """Return the record with another start, speed, gain, wander, noise and perhaps a lost lead."""
    leads, length = waveform.signals_mv.shape
    signals = np.roll(waveform.signals_mv, int(random.integers(length)), axis=1)
    factor = np.exp(random.uniform(-variation.gain, variation.gain))
    each = np.exp(random.uniform(-variation.lead_gain, variation.lead_gain, (leads, 1)))
    varied = signals * (factor * each) + _wander(leads, length, waveform, random, variation)
    varied += random.normal(0, random.uniform(0, variation.noise_mv), varied.shape)
    if random.random() < variation.lost_lead:
        varied[random.integers(leads)] = 0.0
    rate = waveform.sampling_rate_hz * np.exp(random.uniform(-1, 1) * variation.stretch)
    return Waveform(varied.astype(np.float32), float(rate), waveform.lead_names)


def _wander(
    leads: int,
    length: int,
    waveform: Waveform,
    random: np.random.Generator,
    variation: PageVariation,
) -> Millivolts:
    """A slow sine per lead, of breathing frequency."""
    times = np.arange(length) / waveform.sampling_rate_hz
    size = random.uniform(0, variation.wander_mv, (leads, 1))
    phase = random.uniform(0, 2 * np.pi, (leads, 1))
    wander = size * np.sin(2 * np.pi * random.uniform(0.1, 0.4) * times + phase)
    return np.asarray(wander, dtype=np.float32)


def random_style(random: np.random.Generator) -> PageStyle:
    """Return random ink, grid and line width on white or yellowed paper."""
    minor, major = _GRIDS[random.integers(len(_GRIDS))]
    return PageStyle(
        paper=(255, 255, 255) if random.random() < 0.7 else (252, 248, 236),
        minor=minor,
        major=major,
        trace=_INKS[random.integers(len(_INKS))],
        line_mm=float(random.choice([0.35, 0.45, 0.6, 0.75])),
        text_mm=float(random.choice([3.0, 3.6, 4.2])),
        labels=bool(random.random() < 0.9),
        pulse=bool(random.random() < 0.8),
    )


def degrade(page: Image.Image, random: np.random.Generator, strength: float = 1.0) -> Image.Image:
    """Return the page as a camera sees it: tilt to ±3°, perspective, shadow, blur and JPEG."""
    page = _photograph(page, random, strength)
    if random.random() < 0.6:
        page = _shade(page, random, strength)
    if random.random() < 0.4:
        radius = random.uniform(0.2, 0.9) * strength * page.width / 448
        page = page.filter(ImageFilter.GaussianBlur(radius))
    if random.random() < 0.6:
        page = _jpeg(page, int(random.integers(45, 95)))
    return page


def _photograph(page: Image.Image, random: np.random.Generator, strength: float) -> Image.Image:
    """Tilt and move the page and its corners a little; what lies beyond it is grey table."""
    width, height = page.size
    angle = np.deg2rad(random.uniform(-3, 3)) * strength
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (width / 2, height / 2)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    zoom = np.exp(random.uniform(-0.03, 0.05) * strength)
    jitter = random.uniform(-0.015, 0.015, (4, 2)) * (width, height) * strength
    seen = corners @ turn * zoom + jitter
    centre = np.array([width, height]) / 2
    table = int(random.integers(60, 230))
    return page.transform(
        page.size,
        Image.Transform.PERSPECTIVE,
        _homography(corners + centre, seen + centre),
        Image.Resampling.BILINEAR,
        fillcolor=(table, table, table),
    )


def _homography(output: np.ndarray, source: np.ndarray) -> list[float]:
    """The eight numbers by which Pillow maps output corners to source corners."""
    rows, values = [], []
    for (x, y), (u, v) in zip(output, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return [float(value) for value in np.linalg.solve(np.array(rows), np.array(values))]


def _shade(page: Image.Image, random: np.random.Generator, strength: float) -> Image.Image:
    """Darken the page towards one side, with another brightness and warmth."""
    width, height = page.size
    slope = random.uniform(-0.3, 0.3, 2) * strength
    across = np.linspace(-1, 1, width, dtype=np.float32) * np.float32(slope[0])
    down = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(slope[1])
    light = np.float32(random.uniform(0.75, 1.05)) + across + down
    tint = np.array([1.0, 0.99, random.uniform(0.9, 1.0)], dtype=np.float32)
    shaded = np.asarray(page, dtype=np.float32) * np.clip(light, 0.35, 1.1)[..., None] * tint
    return Image.fromarray(np.clip(shaded, 0, 255).astype(np.uint8))


def _jpeg(page: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return image.convert("RGB")
