"""Say what kind of picture an input is, when the model file knows how to tell."""

from __future__ import annotations

from contracts.network import Output
from contracts.schemas import Recognition
from vision_service.model import VisionModel


def recognise_input(output: Output, model: VisionModel) -> Recognition:
    """Name the kind of one case by the modality head alone; empty without a head."""
    if model.validity is None:
        return Recognition(looks_like=None, probabilities={})
    by_kind = model.validity.recognise(output)
    return Recognition(looks_like=max(by_kind, key=by_kind.__getitem__), probabilities=by_kind)
