"""The one number by which validation chooses an epoch: higher is better. Torch only."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def selection_score(logits: Tensor, targets: Tensor, rule: str) -> float:
    """Score validation logits `[N, K]` against class indices `[N]` or binary targets `[N, K]`.

    `auroc`: macro one-vs-rest area; `nll`: minus the mean loss; `balanced_accuracy`: mean recall.
    """
    multi_label = targets.ndim == 2
    if rule == "nll":
        if multi_label:
            return -float(F.binary_cross_entropy_with_logits(logits, targets))
        return -float(F.cross_entropy(logits, targets))
    if rule == "balanced_accuracy":
        hits = logits.argmax(1) == targets
        present = torch.unique(targets)
        return float(
            torch.stack([hits[targets == label].float().mean() for label in present]).mean()
        )
    scores = logits if multi_label else logits.softmax(1)
    truth = targets.bool() if multi_label else F.one_hot(targets, logits.shape[1]).bool()
    areas = [
        area
        for column in range(truth.shape[1])
        if (area := auroc(scores[:, column], truth[:, column])) is not None
    ]
    return sum(areas) / len(areas) if areas else 0.0


def auroc(scores: Tensor, truth: Tensor) -> float | None:
    """Area under the ROC curve by ranks (ties share theirs); None when one class is absent."""
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = torch.unique(scores.double(), return_inverse=True, return_counts=True)
    ends = counts.cumsum(0).double()
    ranks = (ends - (counts.double() - 1) / 2)[inverse]
    wins = float(ranks[truth].sum()) - positives * (positives + 1) / 2
    return wins / (positives * negatives)
