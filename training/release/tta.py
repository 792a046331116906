"""Decide by validation whether test-time augmentation is offered, and calibrate it if so.

A gain means: on the validation part both the macro AUROC and the log loss of the averaged views
are better than those of the single view. Published gains are small and sometimes negative, so
the default is not to offer it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from contracts.modality import DecisionRule
from contracts.views import VIEWS, Views
from training import metrics
from training.calibrate import fit_rule, settings_for
from training.dataset import ImageBank
from training.fit.inputs import bank_of
from training.fit.predict_batches import clean_batches
from training.fit.trained import Trained
from training.manifest import CAL, VAL
from training.measure.calibration_error import log_loss
from training.measure.scored import Scored, probabilities_of, scored_from


def fit_views(network: nn.Module, trained: Trained, rule: DecisionRule) -> dict[str, Any]:
    """Return the model file's member: views, rule and figures, or the figures alone.

    Empty when the recipe names no views or the parts `val` and `cal` are missing.
    """
    named = trained.config.get("tta")
    names = tuple(str(name) for name in named) if isinstance(named, list | tuple) else ()
    if not names or not trained.manifest.part(VAL) or not trained.manifest.part(CAL):
        return {}
    val, plain = (
        _averaged(network, trained, VAL, names),
        _averaged(network, trained, VAL, names[:1]),
    )
    settings = settings_for(trained.modality, trained.config)
    cal = _averaged(network, trained, CAL, names)
    fitted = fit_rule(cal, trained.modality, settings, val=val)
    figures = {"single": _figures(plain, rule), "averaged": _figures(val, fitted)}
    better = (
        figures["averaged"]["auroc"] > figures["single"]["auroc"]
        and figures["averaged"]["nll"] < figures["single"]["nll"]
    )
    measured = {"measured_on": VAL, "inputs": len(val), "offered": better, **figures}
    return (Views(names, fitted).to_plain() if better else {"views": list(names)}) | measured


def _averaged(network: nn.Module, trained: Trained, part: str, names: tuple[str, ...]) -> Scored:
    """Scores of one part from the mean logits of its views."""
    rows = trained.manifest.part(part)
    bank = bank_of(rows, trained.modality, trained.image)
    logits = np.mean([_logits(network, bank, trained, name) for name in names], axis=0)
    return scored_from(rows, logits, trained.modality)


def _logits(network: nn.Module, bank: ImageBank, trained: Trained, view: str) -> np.ndarray:
    """Float32 logits of every clean image under one view."""
    with torch.inference_mode():
        parts = [network(VIEWS[view](inputs)) for inputs in clean_batches(bank, trained.image)]
    return np.asarray(torch.cat(parts).double().numpy())


def _figures(scored: Scored, rule: DecisionRule) -> dict[str, float]:
    """Macro AUROC and log loss under a rule."""
    probabilities = probabilities_of(scored.logits, rule)
    once = np.ones((1, len(scored)))
    return {
        "auroc": float(metrics.macro_auroc(probabilities, scored.truth, once)[0]),
        "nll": float(log_loss(probabilities, scored.truth, once)[0]),
    }
