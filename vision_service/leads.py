"""Which lead spoke, and when: the influence map of a page read through the page's layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor
from torchvision.transforms.v2 import functional as tv

from contracts.layouts import LeadBox, lead_boxes, page_layout
from contracts.modality import RenderSpec
from contracts.schemas import LeadInfluence

Strength = NDArray[np.float64]
#: Columns and rows to which the coarse map is grown before the panels are cut out.
_GRID = (160, 400)


@dataclass(frozen=True, slots=True, eq=False)
class PanelInfluence:
    """One stretch of one lead: influence over its time `[columns]`, not negative, unscaled."""

    lead: str
    start_seconds: float
    seconds: float
    box: LeadBox
    over_time: Strength


def panel_influence(values: Tensor, spec: RenderSpec) -> tuple[PanelInfluence, ...]:
    """Return the mean influence over each panel's height, panel by panel in page order.

    `values` is the raw map `[rows, columns]` of the whole page; margins belong to no lead.
    """
    grown = tv.resize(values[None, None].float(), list(_GRID), antialias=True)[0, 0]
    page = grown.clamp_min(0).double().numpy()
    panels = page_layout(spec).panels
    return tuple(
        PanelInfluence(panel.lead, panel.start_seconds, panel.seconds, box, _cut(page, box))
        for panel, box in zip(panels, lead_boxes(spec), strict=True)
    )


def lead_influence(panels: tuple[PanelInfluence, ...]) -> list[LeadInfluence]:
    """Return one entry per lead, in page order; a rhythm strip counts for its lead."""
    total = sum(float(panel.over_time.mean()) * panel.seconds for panel in panels)
    drawn = sum(panel.seconds for panel in panels)
    found = []
    for lead in dict.fromkeys(panel.lead for panel in panels):
        own = [panel for panel in panels if panel.lead == lead]
        amount = sum(float(panel.over_time.mean()) * panel.seconds for panel in own)
        found.append(
            LeadInfluence(
                lead=lead,
                share=min(1.0, amount / total) if total > 0 else 0.0,
                even_share=sum(panel.seconds for panel in own) / drawn,
                peak_seconds=_peak(own),
            )
        )
    return found


def _peak(panels: list[PanelInfluence]) -> float | None:
    """When the influence on a lead is highest, in seconds of the page; None without influence."""
    best = max(panels, key=lambda panel: panel.over_time.max())
    if best.over_time.max() <= 0:
        return None
    place = (int(best.over_time.argmax()) + 0.5) / len(best.over_time)
    return round(best.start_seconds + place * best.seconds, 2)


def _cut(page: Strength, box: LeadBox) -> Strength:
    """Return the mean over the rows of one box, column by column."""
    rows, columns = page.shape
    top, left = round(box.top * rows), round(box.left * columns)
    bottom, right = round((box.top + box.height) * rows), round((box.left + box.width) * columns)
    return np.asarray(page[top : max(bottom, top + 1), left : max(right, left + 1)].mean(axis=0))
