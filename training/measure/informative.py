"""Informative: does a warning or a reason mark inputs that are answered wrongly more often?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from training import metrics
from training.measure.bootstrap import cluster_weights, paired_difference
from training.metrics import Bools

#: Fewer inputs with or without the mark say nothing.
MIN_CASES = 10


def informative_marks(
    marks: Sequence[Sequence[str]], wrong: Bools, groups: Sequence[str], *, draws: int
) -> dict[str, dict[str, float | None]]:
    """Return, per code, how often it was raised and the error when raised minus otherwise.

    `marks` holds the codes of each case. The difference has a 95 % cluster-bootstrap interval;
    a mark whose interval holds zero is not shown to be informative.
    """
    weights = cluster_weights(groups, draws=draws)
    table = {}
    for code in sorted({code for codes in marks for code in codes}):
        raised = np.asarray([code in codes for codes in marks])
        if min(raised.sum(), (~raised).sum()) < MIN_CASES:
            continue
        with_mark = partial(metrics.share, wrong, raised)
        without = partial(metrics.share, wrong, ~raised)
        difference = paired_difference(with_mark, without, weights)
        table[code] = {"raised": float(raised.sum()), **difference.to_plain()}
    return table
