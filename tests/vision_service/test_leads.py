"""Influence by lead: the page's layout decides which lead a bright place belongs to."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from contracts.modality import RenderSpec
from contracts.records import LEADS, Waveform
from contracts.registry import get_modality
from tests.contracts.wfdb_samples import record_zip, synthetic_ecg
from vision_service.display import display_page, render_display
from vision_service.engine import VisionEngine
from vision_service.lead_overlay import draw_lead_overlay
from vision_service.leads import lead_influence, panel_influence
from vision_service.model import ModelOptions, load_model
from vision_service.threads import ThreadPlan

SPEC = RenderSpec()


def spot(across, down):
    """A raw map of 40 by 80 cells that is bright at one place, in shares of the page."""
    values = torch.zeros((40, 80))
    values[int(down * 40), int(across * 80)] = 3.0
    return values


@pytest.mark.parametrize(
    ("across", "down", "lead", "seconds"),
    [
        (0.15, 0.12, "I", (0.0, 2.5)),
        (0.90, 0.12, "V4", (7.5, 10.0)),
        (0.65, 0.40, "V2", (5.0, 7.5)),
        (0.50, 0.88, "II", (4.0, 6.0)),
    ],
)
def test_a_bright_place_counts_for_the_lead_that_is_drawn_there(across, down, lead, seconds):
    shares = {one.lead: one for one in lead_influence(panel_influence(spot(across, down), SPEC))}

    assert shares[lead].share > 0.95
    assert seconds[0] <= shares[lead].peak_seconds <= seconds[1]
    assert sum(one.share for one in shares.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("layout", ["3x4+1", "6x2", "12x1"])
def test_an_even_map_gives_every_lead_its_part_of_the_drawn_time(layout):
    spec = replace(SPEC, layout=layout)

    found = lead_influence(panel_influence(torch.ones((5, 9)), spec))

    assert {one.lead for one in found} == set(LEADS)
    for one in found:
        assert one.share == pytest.approx(one.even_share, abs=1e-6)


def test_a_map_without_influence_gives_no_lead_a_share_or_a_moment():
    found = lead_influence(panel_influence(torch.zeros((5, 9)), SPEC))

    assert {(one.share, one.peak_seconds) for one in found} == {(0.0, None)}


def test_only_the_trace_at_the_bright_place_is_marked():
    waveform = Waveform(synthetic_ecg().astype(np.float32), 100.0)
    page = display_page(SPEC)
    plain = np.asarray(
        draw_lead_overlay(waveform, panel_influence(torch.zeros((40, 80)), SPEC), page), dtype=int
    )

    marked = np.asarray(
        draw_lead_overlay(waveform, panel_influence(spot(0.90, 0.12), SPEC), page), dtype=int
    )

    changed = np.argwhere((plain != marked).any(axis=2))
    height, width = plain.shape[:2]
    assert len(changed) > 200
    assert changed[:, 0].max() < 0.30 * height and changed[:, 1].min() > 0.70 * width
    assert (marked <= plain).all(), "a marker darkens paper, it never paints over ink"


@pytest.fixture
def ecg_model(tiny_checkpoint_path: Callable[[str], Path]):
    return load_model(
        tiny_checkpoint_path("ecg"), get_modality("ecg"), ModelOptions("torch", "cpu")
    )


async def test_an_explained_record_shows_its_leads_on_the_plot(ecg_model):
    payload = record_zip(synthetic_ecg(75, noise_mv=0.02))
    async with VisionEngine(ecg_model, ThreadPlan(1, 1, 1)) as engine:
        found = await engine.explain(payload, request_id="r")

    overlay = Image.open(io.BytesIO(base64.b64decode(found.overlay_png_base64)))
    plot = Image.open(io.BytesIO(render_display(payload, ecg_model)))
    assert [one.lead for one in found.leads] == list(LEADS)
    assert overlay.size == plot.size


async def test_a_page_image_is_explained_as_any_picture(ecg_model):
    page = render_display(record_zip(synthetic_ecg(75, noise_mv=0.02)), ecg_model)
    async with VisionEngine(ecg_model, ThreadPlan(1, 1, 1)) as engine:
        found = await engine.explain(page, request_id="r")

    assert found.kind == "influence_map"
    assert found.leads == []
