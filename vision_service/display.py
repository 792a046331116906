"""The display copy of an upload: an upright PNG of at most 1,024 pixels, or the ECG plot."""

from __future__ import annotations

from dataclasses import replace

from contracts.decoder import decode_input, is_record
from contracts.errors import InvalidField
from contracts.modality import RenderSpec
from vision_service.model import VisionModel
from vision_service.overlay import DISPLAY_SIDE, display_copy, encode_png


def render_display(payload: bytes, model: VisionModel) -> bytes:
    """Return the PNG of one input; raise UnsupportedMediaType (415) and InvalidInput (422)."""
    decoded = decode_input(
        payload,
        model.modality,
        render=display_page(model.modality.render),
        keep_side=DISPLAY_SIDE,
    )
    return encode_png(display_copy(decoded.image))


def render_svg(payload: bytes, model: VisionModel) -> bytes:
    """Return the SVG plot of one record; errors as `render_display`, InvalidField of a picture."""
    if not is_record(payload, model.modality):
        decode_input(payload, model.modality, keep_side=DISPLAY_SIDE)
        raise InvalidField("Only a record can be drawn as SVG.", field="format")
    from contracts.plots import plot_svg
    from contracts.records import decode_record

    return plot_svg(decode_record(payload), model.modality.render).encode()


def display_page(spec: RenderSpec | None) -> RenderSpec | None:
    """Return the page spec in which the longer side fills the display copy, every sample drawn."""
    if spec is None:
        return None
    from contracts.renderer import page_pixels

    thousandfold = page_pixels(replace(spec, pixels_per_mm=1000.0))
    return replace(spec, pixels_per_mm=DISPLAY_SIDE * 1000.0 / max(thousandfold), trace_hz=None)
