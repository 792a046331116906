"""Ask whether an input is what the model was made for, when its file knows how to tell."""

from __future__ import annotations

from contracts.network import Output
from contracts.schemas import Recognition
from contracts.validity import Validity, assess, recognise
from vision_service.model import VisionModel


def check_input(output: Output, model: VisionModel) -> Validity | None:
    """Judge one case; None when the model file holds no statistics for it."""
    checkpoint = model.checkpoint
    if not checkpoint.validity:
        return None
    numbers = checkpoint.release.validity
    return assess(output, checkpoint.validity, numbers, model.modality.id)


def recognise_input(output: Output, model: VisionModel) -> Recognition:
    """Say what kind of picture one case is, by the modality head alone; empty without a head."""
    checkpoint = model.checkpoint
    if not checkpoint.validity:
        return Recognition(looks_like=None, probabilities={})
    kinds = list(checkpoint.release.validity["kinds"])
    chances = recognise(output, checkpoint.validity, kinds)[0].tolist()
    by_kind = dict(zip(kinds, (min(1.0, chance) for chance in chances), strict=True))
    return Recognition(
        looks_like=max(by_kind, key=lambda kind: by_kind[kind]), probabilities=by_kind
    )
