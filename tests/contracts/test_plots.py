import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from contracts.layouts import LEFT_MM, Panel, page_layout
from contracts.modality import RenderSpec
from contracts.plots import _label, plot_image, plot_svg
from contracts.records import LEADS, Waveform
from tests.contracts.wfdb_samples import synthetic_ecg

SVG = "{http://www.w3.org/2000/svg}"


def record(signals=None, rate_hz: float = 500.0) -> Waveform:
    signals = synthetic_ecg(rate_hz=rate_hz) if signals is None else signals
    return Waveform(np.asarray(signals, dtype=np.float32), rate_hz)


@pytest.mark.parametrize("layout", ["3x4+1", "6x2", "12x1"])
def test_the_svg_is_well_formed_in_millimetres_and_names_every_lead(layout):
    spec = RenderSpec(layout=layout)

    root = ElementTree.fromstring(plot_svg(record(), spec))

    page = page_layout(spec)
    assert root.get("viewBox") == f"0 0 {page.width_mm:g} {page.height_mm:g}"
    assert {text.text for text in root.iter(f"{SVG}text")} == set(LEADS)


def test_the_svg_holds_no_script_style_or_reference():
    root = ElementTree.fromstring(plot_svg(record()))

    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        "svg", "rect", "path", "text",
    }  # fmt: skip
    assert not any("href" in name for element in root.iter() for name in element.attrib)


def test_a_trace_in_the_svg_has_the_scale_of_paper():
    signals = np.zeros((12, 1000))
    signals[0, 100:140] = 1.0

    document = plot_svg(record(signals, 100.0))

    panel = page_layout(RenderSpec()).panels[0]
    assert f"{LEFT_MM + 25:.2f} {panel.baseline_mm - 10:.2f}" in document
    assert f"{LEFT_MM + 24.75:.2f} {panel.baseline_mm:.2f}" in document


def test_invalid_samples_break_the_path():
    signals = synthetic_ecg()
    signals[0, 100:150] = np.nan

    document = plot_svg(record(signals, 100.0))

    assert " nan" not in document
    assert document.count("M") == plot_svg(record(rate_hz=100.0)).count("M") + 1


def test_the_same_record_gives_the_same_document():
    assert plot_svg(record()) == plot_svg(record())


def test_the_picture_shows_the_record_larger_than_the_network_sees_it():
    image = plot_image(record())

    assert (image.mode, image.size) == ("RGB", (1581, 905))
    assert plot_image(record(), pixels_per_mm=3.8).width <= 1024


def test_every_text_in_the_svg_is_escaped():
    panel = Panel("<b>&", start_seconds=0.0, seconds=2.5, left_mm=0.0, baseline_mm=20.0)

    assert "&lt;b&gt;&amp;" in _label(panel, page_layout(RenderSpec()))
