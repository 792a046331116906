"""Settings that would do nothing for a modality, refused before any work begins."""

from __future__ import annotations

from contracts.modality import Modality
from training.config import BadConfig, TrainConfig

_OF_CLASSES = ("sampler", "focal", "logit_adjustment")


def refuse_idle(modality: Modality, config: TrainConfig) -> None:
    """Raise BadConfig for a setting that the modality's kind of labels makes nothing of."""
    if modality.activation == "sigmoid":
        _refuse_of_classes(modality.id, config)
    elif len(modality.codes) == 2 and config.balanced_decision:
        raise BadConfig(f"balanced_decision needs three or more labels; {modality.id} has two")
    elif len(modality.codes) > 2 and config.minimum_sensitivity:
        raise BadConfig(f"minimum_sensitivity needs exactly two labels, unlike {modality.id}")


def _refuse_of_classes(modality_id: str, config: TrainConfig) -> None:
    """Refuse what takes exactly one label per input."""
    idle = {
        f"imbalance={config.imbalance}": config.imbalance in _OF_CLASSES,
        "select_by=balanced_accuracy": config.select_by == "balanced_accuracy",
        "balanced_decision": config.balanced_decision,
        "minimum_sensitivity": config.minimum_sensitivity > 0,
    }
    if refused := [name for name, given in idle.items() if given]:
        raise BadConfig(
            f"{', '.join(refused)}: needs exactly one label per input, and inputs of {modality_id} "
            "have several; use imbalance=none or class_weights, select_by=auroc or nll"
        )
