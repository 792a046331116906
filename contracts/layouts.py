"""Where each lead lies on the page, in millimetres and seconds; pixels come in the renderer."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.modality import RenderSpec
from contracts.records import LEADS

PAGE_SECONDS = 10.0
PAGE_WIDTH_MM = 263.5
LEFT_MM = 11.0  # margin and calibration pulse before the first lead
_ROW_MM = {"3x4+1": 37.7, "6x2": 30.0, "12x1": 20.0}


@dataclass(frozen=True, slots=True)
class Panel:
    """One stretch of one lead: `seconds` from `start_seconds` on, drawn from `left_mm`."""

    lead: str
    start_seconds: float
    seconds: float
    left_mm: float
    baseline_mm: float


@dataclass(frozen=True, slots=True)
class PageLayout:
    """A page in millimetres: its size, its rows, and its panels."""

    width_mm: float
    height_mm: float
    row_mm: float
    panels: tuple[Panel, ...]

    @property
    def baselines_mm(self) -> tuple[float, ...]:
        """The zero line of each row, from the top."""
        return tuple(sorted({panel.baseline_mm for panel in self.panels}))


@dataclass(frozen=True, slots=True)
class LeadBox:
    """A panel as shares of the page, 0 to 1, for drawing influence per lead."""

    lead: str
    left: float
    top: float
    width: float
    height: float


def page_layout(spec: RenderSpec) -> PageLayout:
    """Place the leads: time runs on from column to column, the rhythm lead spans the page."""
    columns = {"3x4+1": 4, "6x2": 2, "12x1": 1}[spec.layout]
    rows = len(LEADS) // columns
    row_mm = _ROW_MM[spec.layout]
    seconds = PAGE_SECONDS / columns
    panels = [
        Panel(
            lead,
            start_seconds=index // rows * seconds,
            seconds=seconds,
            left_mm=LEFT_MM + index // rows * seconds * spec.mm_per_second,
            baseline_mm=(index % rows + 0.5) * row_mm,
        )
        for index, lead in enumerate(LEADS)
    ]
    if spec.layout == "3x4+1":
        panels.append(Panel(spec.rhythm_lead, 0.0, PAGE_SECONDS, LEFT_MM, (rows + 0.5) * row_mm))
        rows += 1
    width_mm = PAGE_WIDTH_MM + PAGE_SECONDS * (spec.mm_per_second - 25.0)
    return PageLayout(width_mm, rows * row_mm, row_mm, tuple(panels))


def lead_boxes(spec: RenderSpec) -> tuple[LeadBox, ...]:
    """Return the box of each panel as shares of the page."""
    page = page_layout(spec)
    return tuple(
        LeadBox(
            panel.lead,
            left=panel.left_mm / page.width_mm,
            top=(panel.baseline_mm - page.row_mm / 2) / page.height_mm,
            width=panel.seconds * spec.mm_per_second / page.width_mm,
            height=page.row_mm / page.height_mm,
        )
        for panel in page.panels
    )
