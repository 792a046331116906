"""ReleaseOptions: what a release does beyond the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from training.fit.trained import Trained
from training.measure.bootstrap import DRAWS
from training.measure.scored import Scored
from training.release.openings import OPENINGS
from training.validity.foreign import fit_checks

#: From the network, the run and the manifests of foreign images to the numbers and tensors of
#: the input checks.
FitValidity = Callable[
    [nn.Module, Trained, tuple[Path, ...]], tuple[dict[str, Any], dict[str, Tensor]]
]
#: From the network and the run to the layer and the checks of the influence map.
FitExplanation = Callable[[nn.Module, Trained], dict[str, Any]]


def utc_now() -> datetime:
    """The clock of a release."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class ReleaseOptions:
    """Everything optional of a release.

    `out_of_fold` replaces the part `cal` where a set is too small for one. `members` are further
    weights (the single seeds) that are measured in the same opening of the test set. None for
    `fit_validity` leaves the checks of the input out. Without a `test_reason` no test set is
    opened. `notes` are sentences of the releaser that the card repeats, such as what else the
    cases were used for. `report` writes plots and a page into the run folder.
    """

    out_of_fold: Scored | None = None
    members: Mapping[str, dict[str, Tensor]] = field(default_factory=dict)
    fit_validity: FitValidity | None = fit_checks
    fit_explanation: FitExplanation | None = None
    test_reason: str = ""
    notes: tuple[str, ...] = ()
    openings: Path = OPENINGS
    draws: int = DRAWS
    report: bool = True
    clock: Callable[[], datetime] = utc_now
