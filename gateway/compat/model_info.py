"""The chest X-ray model in the words of an earlier client."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from contracts.schemas import Message, ModelInfo
from gateway.compat.asking import offered
from gateway.dependencies import Parts
from serving.scope import request_id_of

_SPLIT = "test"
_NAMES = {
    "efficientnet_b0": "EfficientNet-B0",
    "efficientnet_v2_m": "EfficientNetV2-M",
    "mobilenet_v2": "MobileNetV2",
    "resnet50": "ResNet-50",
}


class Evaluation(Message):
    """Figures of the held-out test set, with 95 % intervals where there are any."""

    split: str
    n: int
    metrics: dict[str, float]
    ci95: dict[str, list[float]]


class ChestModel(Message):
    """Answer of /model/info. `accuracy` is that of the test set in percent."""

    model_name: str
    version: str
    accuracy: float | None
    num_parameters: int | None
    device: str
    class_names: list[str]
    image_size: list[int]
    """Width and height of the network's input."""
    evaluation: Evaluation | None


async def describe_chest(request: Request, parts: Parts) -> ChestModel:
    """Ask the service for its model; raises what it answers, ModelUnavailable (503) among them."""
    modality = offered(request, parts, "chest-xray")
    deadline = parts.deadline(request, parts.settings.deadline_seconds)
    info = await parts.client.describe(modality.id, request_id_of(request.scope), deadline)
    return to_chest_model(info)


def to_chest_model(info: ModelInfo) -> ChestModel:
    """Translate; a model without a test set has neither accuracy nor evaluation."""
    evaluation = _evaluation(info.metrics.get(_SPLIT))
    accuracy = evaluation.metrics.get("accuracy") if evaluation else None
    return ChestModel(
        model_name=_NAMES.get(info.arch, info.arch),
        version=info.version,
        accuracy=None if accuracy is None else round(100 * accuracy, 2),
        num_parameters=info.parameters,
        device=info.device,
        class_names=info.labels,
        image_size=info.input_size[:0:-1],
        evaluation=evaluation,
    )


def _evaluation(measured: object) -> Evaluation | None:
    """Return the figures of a measured set that hold a value."""
    if not isinstance(measured, dict):
        return None
    figures: dict[str, dict[str, Any]] = {
        name: figure
        for name, figure in measured.get("all", {}).items()
        if figure.get("value") is not None
    }
    return Evaluation(
        split=_SPLIT,
        n=measured["n"],
        metrics={name: figure["value"] for name, figure in figures.items()},
        ci95={
            name: [figure["low"], figure["high"]]
            for name, figure in figures.items()
            if figure.get("low") is not None and figure.get("high") is not None
        },
    )
