"""The number by which validation chooses an epoch."""

from __future__ import annotations

import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from training.fit.selection import auroc, selection_score


def test_the_area_agrees_with_scikit_learn_ties_included():
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 10, (200,), generator=generator).float()
    truth = torch.rand(200, generator=generator) < 0.3

    assert auroc(scores, truth) == pytest.approx(roc_auc_score(truth, scores))


def test_one_class_alone_has_no_area():
    assert auroc(torch.randn(3), torch.ones(3, dtype=torch.bool)) is None


def test_the_macro_area_agrees_with_scikit_learn():
    generator = torch.Generator().manual_seed(1)
    logits, targets = torch.randn(150, 3, generator=generator), torch.arange(150) % 3

    expected = roc_auc_score(targets, logits.softmax(1), multi_class="ovr")
    assert selection_score(logits, targets, "auroc") == pytest.approx(expected, abs=1e-6)


def test_balanced_accuracy_is_the_mean_recall():
    generator = torch.Generator().manual_seed(2)
    logits, targets = torch.randn(90, 3, generator=generator), torch.arange(90) % 3

    expected = balanced_accuracy_score(targets, logits.argmax(1))
    assert selection_score(logits, targets, "balanced_accuracy") == pytest.approx(expected)


@pytest.mark.parametrize("targets", [torch.tensor([0, 1]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])])
def test_a_better_fit_has_the_higher_likelihood(targets):
    good, bad = torch.tensor([[3.0, -3.0], [-3.0, 3.0]]), torch.zeros(2, 2)

    assert selection_score(good, targets, "nll") > selection_score(bad, targets, "nll")
