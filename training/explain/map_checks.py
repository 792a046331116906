"""Checks that an influence map must pass before anybody sees it, each with its figures.

Pointing and energy against lesion masks (Zhang et al. 2018), deletion and insertion (Petsiuk et
al. 2018), weight randomisation (Adebayo et al. 2018), and a hotspot that never moves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torchvision.transforms.v2 import functional as tv

Map = NDArray[np.float64]
Pixels = NDArray[np.float32]
#: From a batch of pictures `[B, H, W, 3]` in 0–1 to the probability of one label `[B]`.
Score = Callable[[Pixels, int], Map]

STEPS = (0.1, 0.2, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Blurred:
    """A picture `[H, W, 3]` in 0–1 and its blurred copy, which stands for "nothing here"."""

    sharp: Pixels
    soft: Pixels


def enlarge(raw: Map, height: int, width: int) -> Map:
    """Return a raw map at picture size, scaled to 0–1."""
    grown = tv.resize(torch.from_numpy(raw)[None, None].float(), [height, width], antialias=True)
    grown = grown[0, 0].double().numpy()
    spread = grown.max() - grown.min()
    return np.asarray((grown - grown.min()) / spread if spread > 0 else np.zeros_like(grown))


def centre_gaussian(height: int, width: int) -> Map:
    """The map of somebody who always looks at the middle; sigma is a quarter of each side."""
    y = np.linspace(-1, 1, height)[:, None] / 0.5
    x = np.linspace(-1, 1, width)[None, :] / 0.5
    return np.asarray(np.exp(-(x**2 + y**2) / 2))


def pointing_hit(heat: Map, mask: NDArray[np.bool_]) -> bool:
    """True when the brightest pixel of the map lies in the mask."""
    return bool(mask.flat[int(heat.argmax())])


def energy_in_mask(heat: Map, mask: NDArray[np.bool_]) -> float:
    """Share of the map's sum that lies in the mask, over the mask's share of the picture.

    1 is a map that knows nothing of the mask.
    """
    total = heat.sum()
    share = heat[mask].sum() / total if total > 0 else float(mask.mean())
    return float(share / max(float(mask.mean()), 1e-9))


def deletion(pair: Blurred, heat: Map, label: int, score: Score) -> float:
    """Mean probability of the label while the map's brightest shares are blurred away."""
    return float(score(_mixed(pair, heat, keep_bright=False), label).mean())


def insertion(pair: Blurred, heat: Map, label: int, score: Score) -> float:
    """Mean probability of the label while only the map's brightest shares are sharp."""
    return float(score(_mixed(pair, heat, keep_bright=True), label).mean())


def similarity(first: Map, second: Map) -> float:
    """Correlation of two maps; 0 when one is flat."""
    if first.std() == 0 or second.std() == 0:
        return 0.0
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def hotspot_ratio(heats: Sequence[Map]) -> float:
    """Peak of the mean map over its mean: how much brighter one place is in every picture."""
    mean = np.mean(np.stack(heats), axis=0)
    return float(mean.max() / max(mean.mean(), 1e-9))


def blur(picture: Pixels) -> Blurred:
    """Return a picture with its copy under a Gaussian of ten pixels."""
    channels = torch.from_numpy(picture).permute(2, 0, 1)
    soft = tv.gaussian_blur(channels, [31, 31], [10.0, 10.0]).permute(1, 2, 0).numpy()
    return Blurred(picture, soft)


def _mixed(pair: Blurred, heat: Map, *, keep_bright: bool) -> Pixels:
    """The picture with its brightest (or all but its brightest) shares replaced by blur."""
    versions = []
    for step in STEPS:
        bright = (heat >= np.quantile(heat, 1 - step))[..., None]
        versions.append(np.where(bright == keep_bright, pair.sharp, pair.soft))
    return np.stack(versions)
