"""What `GET /model` says about the model that is held."""

from __future__ import annotations

from dataclasses import asdict

from contracts.schemas import ModelInfo
from vision_service.model import VisionModel
from vision_service.threads import ThreadPlan


def describe(model: VisionModel, threads: ThreadPlan) -> ModelInfo:
    """Return modality, version, numbers and where it runs."""
    alone = {"alone": threads.alone} if model.backend.spreads_alone else {}
    release, limits = model.checkpoint.release, model.modality.limits
    return ModelInfo(
        modality=release.modality,
        version=f"v{release.version}",
        sha256=release.sha256,
        arch=release.arch,
        labels=list(release.labels),
        parameters=model.checkpoint.parameters,
        input_size=[3, model.image.height, model.image.width],
        device=model.backend.device,
        backend=model.backend.name,
        threads=threads.as_dict() | alone,
        decision=asdict(release.decision),
        metrics=dict(release.metrics),
        provenance=dict(release.provenance),
        limits={name: float(value) for name, value in asdict(limits).items()},
    )
