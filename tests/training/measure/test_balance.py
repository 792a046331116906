"""The strength with which a decision moves towards rare classes."""

from __future__ import annotations

import numpy as np

from training.manifest import Row
from training.measure.balance import balanced_shift
from training.measure.scored import Scored
from training.metrics import balanced_accuracy, macro_f1

PRIOR = np.array([0.05, 0.15, 0.8])


def skewed_cases(size=3000, spread=1.6):
    random = np.random.default_rng(2)
    classes = random.choice(3, size=size, p=PRIOR)
    evidence = random.normal(size=(size, 3)) + spread * (np.arange(3) == classes[:, None])
    joint = np.log(PRIOR) + spread * evidence
    p = np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True)
    rows = tuple(Row(str(i), "unread", "abc"[one]) for i, one in enumerate(classes))
    return Scored(rows, np.log(p), classes[:, None] == np.arange(3)), p


def decided(p, shift):
    return (np.log(p) + np.asarray(shift)).argmax(axis=1)[:, None] == np.arange(3)


def strength(shift):
    return float(np.mean(-np.asarray(shift) / np.log(PRIOR)))


def test_the_shift_gains_balanced_accuracy_and_gives_up_none_that_can_be_told():
    cases, p = skewed_cases()
    once = np.ones((1, len(cases)))

    chosen = decided(p, balanced_shift(cases, p, PRIOR))
    full = decided(p, -np.log(PRIOR))
    none = decided(p, np.zeros(3))

    reached, best, plain = (
        balanced_accuracy(cases.truth, one, once)[0] for one in (chosen, full, none)
    )
    assert reached > plain + 0.05
    assert reached > best - 0.01
    assert macro_f1(cases.truth, chosen, once) >= macro_f1(cases.truth, full, once)


def test_the_correction_is_never_more_than_full():
    cases, p = skewed_cases(size=200)

    assert 0 <= strength(balanced_shift(cases, p, PRIOR)) <= 1


def test_perfect_answers_need_no_choice_and_keep_the_full_correction():
    cases, _ = skewed_cases(size=300)
    certain = np.where(cases.truth, 0.98, 0.01)

    assert strength(balanced_shift(cases, certain, PRIOR)) == 1.0
