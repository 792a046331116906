"""How unlike the bulk of its class each image is: the score by which a hard part is drawn.

An official test set may come from another acquisition than the training images, and then a
random validation part of the training images says nothing about it. Without looking at any test
image, two properties of a training image tell how far it is from the easy bulk: its acquisition
statistics are unusual for its class, or a linear model on its thumbnail, trained on other
patients, contradicts its label.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.model_selection import GroupKFold, cross_val_predict

from training.prepare.fingerprint import SIDE
from training.prepare.scan import Scan

Vector = NDArray[np.float64]
_COMPONENTS = 8
_FOLDS = 5
_RIDGE_ALPHA = 1.0


def shift_scores(
    scans: Sequence[Scan], labels: Sequence[str], groups: Sequence[str]
) -> list[float]:
    """A score in 0–1 per image, ranked within its label; 1 is furthest from the bulk.

    Mean of two ranks: the distance of brightness, contrast, sharpness and thumbnail components
    from the class mean, and the out-of-fold error of the linear thumbnail model. With fewer
    groups than folds only the first is used.
    """
    names = np.asarray(labels)
    greys = np.stack([scan.grey for scan in scans]).astype(np.float64)
    score = _rank_within(_unusualness(_statistics(scans, greys), names), names)
    if len(set(groups)) >= _FOLDS:
        score = score + _rank_within(_contradiction(greys, names, groups), names)
    return [float(value) for value in _rank_within(score, names)]


def _statistics(scans: Sequence[Scan], greys: Vector) -> Vector:
    pictures = greys.reshape(-1, SIDE, SIDE)
    edges = np.abs(np.diff(pictures, axis=1)).mean(axis=(1, 2))
    edges = edges + np.abs(np.diff(pictures, axis=2)).mean(axis=(1, 2))
    count = min(_COMPONENTS, len(greys) - 1)
    components = PCA(count, svd_solver="arpack", random_state=0).fit_transform(greys)
    levels = [(scan.brightness, scan.contrast) for scan in scans]
    return np.column_stack([np.asarray(levels), edges, components])


def _unusualness(statistics: Vector, names: NDArray[np.str_]) -> Vector:
    distance = np.zeros(len(names))
    for name in np.unique(names):
        members = statistics[names == name]
        spread = members.std(axis=0)
        spread[spread == 0] = 1.0
        distance[names == name] = (((members - members.mean(axis=0)) / spread) ** 2).sum(axis=1)
    return distance


def _contradiction(greys: Vector, names: NDArray[np.str_], groups: Sequence[str]) -> Vector:
    """One minus the out-of-fold score that a ridge on 32-pixel thumbnails gives the true label."""
    half = SIDE // 2
    small = greys.reshape(-1, half, 2, half, 2).mean(axis=(2, 4)).reshape(len(greys), -1)
    known, codes = np.unique(names, return_inverse=True)
    targets = np.eye(len(known))[codes]
    scores = cross_val_predict(
        Ridge(alpha=_RIDGE_ALPHA), small * SIDE, targets, groups=groups, cv=GroupKFold(_FOLDS)
    )
    return np.asarray(1.0 - scores[np.arange(len(codes)), codes], dtype=np.float64)


def _rank_within(values: Vector, names: NDArray[np.str_]) -> Vector:
    ranks = np.zeros(len(values))
    for name in np.unique(names):
        chosen = np.flatnonzero(names == name)
        order = np.argsort(values[chosen], kind="stable")
        ranks[chosen[order]] = np.arange(1, len(chosen) + 1) / len(chosen)
    return ranks
