import pytest

from contracts.layouts import lead_boxes, page_layout
from contracts.modality import RenderSpec
from contracts.records import LEADS


def test_the_standard_layout_runs_down_the_limb_leads_then_the_chest_leads():
    panels = page_layout(RenderSpec()).panels

    by_row: dict[float, list[str]] = {}
    for panel in panels:
        by_row.setdefault(panel.baseline_mm, []).append(panel.lead)

    assert [by_row[row] for row in sorted(by_row)] == [
        ["I", "aVR", "V1", "V4"],
        ["II", "aVL", "V2", "V5"],
        ["III", "aVF", "V3", "V6"],
        ["II"],
    ]


def test_time_runs_on_from_column_to_column():
    panels = page_layout(RenderSpec()).panels

    starts = {panel.lead: panel.start_seconds for panel in panels[:12]}

    assert [starts[lead] for lead in ("I", "aVR", "V1", "V4")] == [0, 2.5, 5, 7.5]
    assert (panels[-1].start_seconds, panels[-1].seconds) == (0, 10)


@pytest.mark.parametrize("layout", ["3x4+1", "6x2", "12x1"])
def test_the_boxes_of_the_leads_lie_on_the_page_and_do_not_overlap(layout):
    boxes = lead_boxes(RenderSpec(layout=layout))

    assert {box.lead for box in boxes} == set(LEADS)
    for index, box in enumerate(boxes):
        assert box.left >= 0 and box.left + box.width <= 1
        assert box.top >= -1e-9 and box.top + box.height <= 1 + 1e-9
        for other in boxes[index + 1 :]:
            apart = (
                box.left + box.width <= other.left + 1e-9
                or other.left + other.width <= box.left + 1e-9
                or box.top + box.height <= other.top + 1e-9
                or other.top + other.height <= box.top + 1e-9
            )
            assert apart
