"""Is this input what the model was made for? A modality head and a distance in feature space.

The score is the largest of four distances (see `contracts.features`), 1 being as far as the
farthest hundredth of the calibration part. All numbers travel in the model file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor

from contracts.errors import BadCheckpoint
from contracts.features import Statistics
from contracts.network import Output
from contracts.release import Release
from contracts.schemas import Reason

OTHER = "other"
_LIMITS = ("own_minimum", "reject_distance", "doubt_distance")


@dataclass(frozen=True, slots=True)
class Validity:
    """What the checks say of one input. `rejections` end the answer; `doubts` make it abstain.

    `probabilities` are those of the modality head; `distance` is the score, 1 being as far as
    the farthest hundredth of the calibration part.
    """

    rejections: tuple[Reason, ...]
    doubts: tuple[Reason, ...]
    looks_like: str
    probabilities: dict[str, float]
    distance: float


@dataclass(frozen=True, slots=True, eq=False)
class ValidityCheck:
    """The input checks of one model file: its statistics, the head's kinds, and the limits."""

    statistics: Statistics
    kinds: tuple[str, ...]
    own: str
    own_minimum: float
    reject_distance: float
    doubt_distance: float

    @classmethod
    def of(cls, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any], own: str) -> Self:
        """Read tensors and numbers of the model file of a modality.

        Raises BadCheckpoint when a statistic is missing or the head has other kinds.
        """
        statistics = Statistics.of(tensors)
        try:
            kinds = tuple(numbers["kinds"])
            limits = [float(numbers[name]) for name in _LIMITS]
        except KeyError as error:
            raise BadCheckpoint("the file lacks a limit of the input checks") from error
        if len(kinds) != len(statistics.head.bias) or own not in kinds:
            raise BadCheckpoint("the modality head and its kinds differ")
        return cls(statistics, kinds, own, *limits)

    def recognise(self, output: Output) -> dict[str, float]:
        """Return the share of each kind for a batch of one."""
        return dict(zip(self.kinds, self.statistics.recognise(output)[0].tolist(), strict=True))

    def assess(self, output: Output) -> Validity:
        """Judge a batch of one."""
        probabilities = self.recognise(output)
        distance = float(self.statistics.distances(output)[0].max())
        looks_like = max(probabilities, key=probabilities.__getitem__)
        rejections: tuple[Reason, ...] = ()
        doubts: tuple[Reason, ...] = ()
        if probabilities[self.own] < self.own_minimum:
            rejections = (_foreign(looks_like, self.own),)
        elif distance > self.reject_distance:
            rejections = (_unlike(),)
        elif distance > self.doubt_distance:
            doubts = (_unusual(),)
        return Validity(rejections, doubts, looks_like, probabilities, distance)


def validity_of(release: Release, tensors: Mapping[str, Tensor]) -> ValidityCheck | None:
    """Return the checks of a file with these tensors, or None; raise BadCheckpoint for half."""
    return ValidityCheck.of(tensors, release.validity, release.modality) if tensors else None


def _foreign(looks_like: str, own: str) -> Reason:
    """The modality head says that this is something else."""
    if looks_like in (OTHER, own):
        return _unlike()
    return Reason(
        code="wrong_modality",
        message="The input looks like another kind of picture. Send it to the service for "
        "that kind, or check that the right file was chosen.",
        looks_like=looks_like,
    )


def _unlike() -> Reason:
    """Too far from everything the model was trained on."""
    return Reason(
        code="out_of_distribution",
        message="The input is unlike anything the model was trained on, so no score is given. "
        "Check that it is the right kind of picture; films of adults, screenshots and photographs "
        "of a screen are common causes.",
    )


def _unusual() -> Reason:
    """Right kind, but at the edge of the training data."""
    return Reason(
        code="unusual_input",
        message="The input is at the edge of what the model was trained on. "
        "Have the case read by a person.",
    )
