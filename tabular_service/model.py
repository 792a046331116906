"""A tabular model file ready to answer: scorer, identity, golden cases, digest of the weights."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from contracts.errors import BadCheckpoint, ModelUnavailable
from contracts.estimator import (
    GOLDEN_TOLERANCE,
    SavedEstimator,
    golden_difference,
    load_estimator,
)
from contracts.modality import Modality
from contracts.release import Release, reference_of
from contracts.schemas import ModelInfo
from contracts.scorer import Scorer, scorer_of


@dataclass(frozen=True, slots=True)
class QualityReport:
    """One run of the golden cases: largest difference, and a reason when it must not answer."""

    deviation: float
    reason: str | None


class TabularModel:
    """One model file in memory, checked against its golden cases."""

    def __init__(self, saved: SavedEstimator, modality: Modality) -> None:
        """Raises BadCheckpoint when the golden logits are not repeated."""
        self.modality = modality
        self.scorer: Scorer = scorer_of(saved, modality)
        self._saved = saved
        #: The model file as answers name it.
        self.reference = reference_of(saved.release)
        self._digest = learned_digest(saved.estimators)
        if self.control().reason is not None:
            raise BadCheckpoint("the file does not repeat its golden logits")

    @property
    def release(self) -> Release:
        """What the file says of itself."""
        return self._saved.release

    @property
    def info(self) -> ModelInfo:
        """What `GET /model` shows of the file; how it is run is added by the engine."""
        release = self.release
        return ModelInfo(
            modality=release.modality,
            version=f"v{release.version}",
            sha256=release.sha256,
            arch=release.arch,
            labels=list(release.labels),
            device="cpu",
            backend="scikit-learn",
            decision=asdict(release.decision),
            metrics=dict(release.metrics),
            provenance=dict(release.provenance),
            limits={"max_bytes": float(self.modality.limits.max_bytes)},
        )

    def control(self) -> QualityReport:
        """Run the golden cases once more and compare what was learned, byte for byte."""
        deviation = self._deviation()
        if not deviation <= GOLDEN_TOLERANCE:
            return QualityReport(deviation, "golden_cases_deviate")
        if learned_digest(self._saved.estimators) != self._digest:
            return QualityReport(deviation, "weights_changed")
        return QualityReport(deviation, None)

    def _deviation(self) -> float:
        """Largest difference of a golden logit; infinite when one is not finite."""
        try:
            logits = [self.scorer.score(case.document).logits for case in self._saved.golden]
        except ModelUnavailable:
            return math.inf
        return golden_difference(self._saved.golden, logits)


def load_model(path: Path, modality: Modality) -> TabularModel:
    """Read and check a model file; raise FileNotFoundError or BadCheckpoint."""
    return TabularModel(load_estimator(path, modality), modality)


def learned_digest(estimators: object) -> str:
    """Return a digest of every array inside fitted estimators."""
    digest = hashlib.sha256()
    for array in _arrays(estimators):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _arrays(value: object) -> Iterator[np.ndarray]:
    """Yield the numeric arrays in nested estimators, containers and mappings, in fixed order."""
    if isinstance(value, np.ndarray):
        if value.dtype != object:
            yield value
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            yield from _arrays(value[key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _arrays(item)
    elif hasattr(value, "get_params"):
        yield from _arrays(vars(value))
