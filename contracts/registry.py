"""The explicit list of modalities, and the one way to look one up."""

from __future__ import annotations

from contracts.errors import UnknownModality
from contracts.modalities.breast_ultrasound import BREAST_ULTRASOUND
from contracts.modalities.chest_xray import CHEST_XRAY
from contracts.modalities.ecg import ECG
from contracts.modalities.heart_risk import HEART_RISK
from contracts.modalities.skin_lesion import SKIN_LESION
from contracts.modalities.symptoms import SYMPTOMS
from contracts.modality import Modality

MODALITIES: tuple[Modality, ...] = (
    CHEST_XRAY,
    SKIN_LESION,
    BREAST_ULTRASOUND,
    ECG,
    SYMPTOMS,
    HEART_RISK,
)


def get_modality(modality_id: str, modalities: tuple[Modality, ...] = MODALITIES) -> Modality:
    """Return the entry with this id; raise UnknownModality without repeating the id."""
    for modality in modalities:
        if modality.id == modality_id:
            return modality
    known = ", ".join(modality.id for modality in modalities)
    raise UnknownModality(f"There is no such modality. Known: {known}.")
