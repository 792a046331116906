"""Balance: how far the decision moves towards rare classes."""

from __future__ import annotations

import numpy as np

from training.measure.bootstrap import Array, cluster_weights
from training.measure.scored import Scored
from training.metrics import balanced_accuracy, macro_f1

#: From no correction to the full one. More than 1 would count rare classes beyond equal, which
#: calibrated probabilities never call for.
_TAUS = np.linspace(0, 1, 11)
_DRAWS = 300
#: Standard errors of the paired difference within which two strengths count as equally good.
_TOLERANCE = 0.5


def balanced_shift(cases: Scored, probabilities: Array, prior: Array) -> tuple[float, ...]:
    """Return `-tau * log(prior)` for a tau in 0–1 (post-hoc logit adjustment, Menon et al. 2021).

    Of the tau whose balanced accuracy cannot be told from the best, the one with the highest
    macro-F1: the last steps to the full correction often buy nothing and cost precision.
    """
    logs = np.log(np.maximum(probabilities, 1e-12))
    labels = np.arange(len(prior))
    decided = [(logs - tau * np.log(prior)).argmax(axis=1)[:, None] == labels for tau in _TAUS]
    once = np.ones((1, len(cases)))
    draws = cluster_weights(cases.groups, cases.strata, draws=_DRAWS, seed=0)
    balanced = np.stack([balanced_accuracy(cases.truth, one, once)[0] for one in decided])
    drawn = np.stack([balanced_accuracy(cases.truth, one, draws) for one in decided])
    best = int(balanced.argmax())
    error = (drawn[best] - drawn).std(axis=1)
    equal = np.flatnonzero(balanced[best] - balanced <= _TOLERANCE * error + 1e-9)
    f1 = {int(one): float(macro_f1(cases.truth, decided[one], once)[0]) for one in equal}
    chosen = max(f1, key=lambda one: (round(f1[one], 9), one))
    return tuple(float(value) for value in -_TAUS[chosen] * np.log(prior))
