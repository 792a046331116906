"""The picture and what moved the score: figures with their captions, factors with their pull."""

from __future__ import annotations

import base64
import struct

from contracts.errors import UpstreamUnavailable
from contracts.modality import WFDB_ZIP, Kind, Modality
from contracts.schemas import Contribution, Explanation
from gateway.client import Picture
from gateway.report.answer import name_of
from gateway.report.page import Figure, Swing
from gateway.report.words import number, percent, plain, say, words

#: Factors that are drawn; of a longer list those that moved the score most.
MOST_SWINGS = 13
#: Largest side of a display copy, in pixels, with room to spare.
MAX_SIDE = 4096
#: Leads that a caption names.
MOST_LEADS = 2
_HEADER_BYTES = 24
_PNG = b"\x89PNG\r\n\x1a\n"
_SMALLEST_PULL = 1e-9


def figures_of(
    explanation: Explanation, picture: Picture | None, modality: Modality
) -> tuple[Figure, ...]:
    """Return the picture and, where the model shows one, the influence map.

    Raises UpstreamUnavailable (502) when the picture is none.
    """
    if picture is None:
        return ()
    sides = png_sides(picture.payload)
    is_record = explanation.prediction.input.media_type == WFDB_ZIP
    caption = say("picture.ecg" if is_record else "picture.image")
    shown = Figure(picture.payload, *sides, caption=caption, alt=say("picture.alt"))
    overlay = _overlay(explanation, sides, modality)
    return (shown,) if overlay is None else (shown, overlay)


def withheld_of(explanation: Explanation) -> str:
    """Return why there is no influence map; empty when there is one or the table shows factors."""
    if explanation.kind != "withheld" or not explanation.withheld_reason:
        return ""
    failed = explanation.checks.get("passed") is False
    return say(
        "overlay.failed" if failed else "overlay.withheld", reason=explanation.withheld_reason
    )


def swings_of(explanation: Explanation, modality: Modality) -> tuple[Swing, ...]:
    """Return the factors that moved the score, in the model's order."""
    contributions = explanation.prediction.contributions[:MOST_SWINGS]
    largest = max((abs(one.contribution) for one in contributions), default=0.0)
    return tuple(
        Swing(
            name=factor_name(modality, one.name),
            given=_given(one, modality),
            value=f"{one.contribution:+.2f}".replace("-", "−"),
            share=one.contribution / max(largest, _SMALLEST_PULL),
        )
        for one in contributions
    )


def swing_note_of(explanation: Explanation, modality: Modality) -> str:
    """Return towards what the factors pull."""
    target = explanation.target
    if target is None or not explanation.prediction.contributions:
        return ""
    return say("swings.towards", name=name_of(modality, target))


def factor_name(modality: Modality, name: str) -> str:
    """Return how a column or a term is called."""
    return titles_of(modality).get(name, plain(name))


def titles_of(modality: Modality) -> dict[str, str]:
    """Return how each column and term of a modality is called."""
    columns = modality.table.columns if modality.table else ()
    titles = {column.name: column.title for column in columns}
    return titles | {term.id: term.name for term in modality.vocabulary}


def png_sides(payload: bytes) -> tuple[int, int]:
    """Return width and height as the header of a PNG states them.

    Raises UpstreamUnavailable (502) for what is no PNG, or none of the size of a display copy.
    """
    if payload.startswith(_PNG) and len(payload) >= _HEADER_BYTES:
        width, height = struct.unpack(">II", payload[16:_HEADER_BYTES])
        if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE:
            return width, height
    raise UpstreamUnavailable(
        "The service of this modality gave no usable picture.", code="bad_upstream"
    )


def _overlay(explanation: Explanation, sides: tuple[int, int], modality: Modality) -> Figure | None:
    """The map in the frame of what it covers: the whole picture, or the square in its middle."""
    if explanation.overlay_png_base64 is None or explanation.target is None:
        return None
    fit = modality.image.fit if modality.image else "squash"
    square = min(sides)
    frame = (square, square) if fit == "center_crop" else sides
    return Figure(
        base64.b64decode(explanation.overlay_png_base64),
        *frame,
        caption=_map_caption(explanation, name_of(modality, explanation.target), fit),
        alt=say("overlay.alt"),
    )


def _map_caption(explanation: Explanation, name: str, fit: str) -> str:
    """What the map covers; of a record the leads that hold more than their part of it."""
    heavy = sorted(
        (lead for lead in explanation.leads if lead.share > lead.even_share),
        key=lambda lead: -lead.share,
    )
    if not heavy:
        return say(f"overlay.{fit}", name=name)
    leads = [
        say("overlay.lead", lead=one.lead, share=percent(one.share), even=percent(one.even_share))
        for one in heavy[:MOST_LEADS]
    ]
    return say("overlay.leads", name=name, leads=", ".join(leads))


def _given(one: Contribution, modality: Modality) -> str:
    """The value that was sent, with its unit; empty for a term, which is there or not listed."""
    if one.value is None:
        return say("swings.missing")
    if isinstance(one.value, float):
        return f"{number(one.value)} {one.unit}".strip()
    if modality.vocabulary:
        return ""
    return words().get(f"given.{one.value}", plain(one.value))


def is_wide(modality: Modality) -> bool:
    """True where the picture needs the whole width of the page."""
    return modality.kind is Kind.ECG
