"""GET /health: each modality by name. For people and old clients; probes use /livez, /readyz."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter

from contracts.schemas import Message
from gateway.about import VERSION
from gateway.dependencies import PartsDep

router = APIRouter(tags=["health"])

#: Names under which earlier clients ask for a modality.
NAMES = {
    "skin_cancer": "skin-lesion",
    "heart_image": "ecg",
    "breast_cancer": "breast-ultrasound",
    "pneumonia": "chest-xray",
    "disease": "symptoms",
    "heart_risk": "heart-risk",
}


class ModalityHealth(Message):
    """State of one modality."""

    ready: bool
    breaker: Literal["closed", "open", "half_open"]


class SystemHealth(Message):
    """State of the whole system; always answered with 200."""

    status: Literal["healthy", "degraded"]
    """`healthy` when every modality that is offered is ready."""
    api_version: str
    model_loaded: bool
    """True when chest-xray is ready."""
    models: dict[str, bool]
    """Readiness by the names of earlier clients."""
    modalities: dict[str, ModalityHealth]
    """State by modality id."""


@router.get("/health")
async def health(parts: PartsDep) -> SystemHealth:
    """Tell which modalities are ready, from what was seen at the last poll."""
    ready = parts.watch.ready
    return SystemHealth(
        status="healthy" if all(ready.values()) else "degraded",
        api_version=VERSION,
        model_loaded=ready.get("chest-xray", False),
        models={name: ready.get(modality, False) for name, modality in NAMES.items()},
        modalities={
            name: ModalityHealth(ready=up, breaker=parts.lanes[name].breaker.state.value)
            for name, up in ready.items()
        },
    )
