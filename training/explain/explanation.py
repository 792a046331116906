"""Choose how the influence map is made and decide whether the model may show one.

On validation inputs each recipe (blocks, kind of map, what is explained) is checked, see
`map_checks`; the one that passes most checks is kept, among equals the best by insertion minus
deletion. The verdict belongs to other inputs, those of the part `cal`: the map is shown only if it
beats a random and a centred map in deletion and insertion, changes when the weights are
randomised, has no fixed hotspot, and, where lesions were drawn, points at more of them and holds
more of them than a centred map. Figures travel in the model file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from torch import nn

from contracts.explainer import GRAD_CAM, LAYER_CAM, influence_map
from contracts.modality import ImageSpec, Modality
from contracts.preprocessing import normalise
from training.explain.cases import Case, find_cases
from training.explain.map_checks import (
    Map,
    Score,
    centre_gaussian,
    deletion,
    energy_in_mask,
    enlarge,
    hotspot_ratio,
    insertion,
    pointing_hit,
    similarity,
)
from training.explain.randomised import randomised, scorer
from training.fit.trained import Trained
from training.manifest import CAL, VAL, Manifest
from training.measure.bootstrap import Metric, cluster_weights, paired_difference

#: Inputs that choose the recipe, and inputs that judge it.
CHOOSE_COUNT, JUDGE_COUNT = 32, 96
#: Bounds stated before measuring.
MOST_SIMILAR, MOST_HOTSPOT = 0.6, 4.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a map is made, as `contracts.explainer.influence_map` takes it."""

    layer: str
    method: str
    contrast: bool

    @property
    def name(self) -> str:
        """One line for the record."""
        return f"{self.method} {self.layer}{' contrast' if self.contrast else ''}"


RECIPES = (
    *(Recipe(f"features[{block}]", GRAD_CAM, False) for block in (4, 5, 6, 8)),
    *(Recipe(f"features[{block}]", LAYER_CAM, True) for block in (4, 5, 6, 8)),
    Recipe("features[5]+features[8]", LAYER_CAM, True),
    Recipe("features[4]+features[5]+features[6]+features[8]", LAYER_CAM, True),
)
Row = dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Bench:
    """A network with its randomised twin, and how its inputs and scores are made."""

    network: nn.Module
    strange: nn.Module
    spec: ImageSpec
    score: Score


def fit_explanation(network: nn.Module, trained: Trained) -> dict[str, Any]:
    """Return recipe, `passed` and the figures of every check, for a finished run."""
    return check_maps(network, trained.modality, trained.image, trained.manifest)


def check_maps(
    network: nn.Module, modality: Modality, spec: ImageSpec, manifest: Manifest
) -> dict[str, Any]:
    """Choose a recipe on `val` and judge it on `cal`, or on `val` where no `cal` has findings.

    A network that recognises no finding gets no map: there is nothing that one could explain.
    """
    bench = _Bench(network, randomised(network), spec, scorer(network, spec, modality))
    choosing = find_cases(network, manifest.part(VAL), modality, spec, CHOOSE_COUNT)
    judging = find_cases(network, manifest.part(CAL), modality, spec, JUDGE_COUNT)
    part, judging = (CAL, judging) if judging else (VAL, choosing)
    if not choosing:
        return {"passed": False, "reason": "The network recognised no finding to explain."}
    references = _references(bench, choosing)
    tried = {recipe: _figures(bench, choosing, references, recipe)[0] for recipe in RECIPES}
    best = max(RECIPES, key=lambda recipe: _worth(tried[recipe]))
    figures, leads = _figures(bench, judging, _references(bench, judging), best)
    failed = sorted(name for name, passed in _verdicts(figures).items() if not passed)
    return {
        "layer": best.layer,
        "method": best.method,
        "contrast": best.contrast,
        "passed": not failed,
        "reason": f"The map failed: {', '.join(failed)}." if failed else None,
        "measured_on": part,
        "inputs": len(judging),
        **_rounded(figures | leads),
        "localisation": "measured on lesion masks" if "pointing" in figures else "not validated",
        "recipes": {recipe.name: _rounded(found) for recipe, found in tried.items()},
    }


def _worth(figures: Row) -> tuple[int, float]:
    """How many checks a recipe passes, then how faithful it is."""
    return sum(_verdicts(figures).values()), figures["insertion"] - figures["deletion"]


def _verdicts(figures: Row) -> dict[str, bool]:
    """Each check by name; those on masks only where there are masks."""
    worst = max(figures["insertion_random"], figures["insertion_centre"])
    best = min(figures["deletion_random"], figures["deletion_centre"])
    verdicts = {
        "deletion": figures["deletion"] < best,
        "insertion": figures["insertion"] > worst,
        "randomisation": figures["similarity_randomised"] < MOST_SIMILAR,
        "hotspot": figures["hotspot"] < MOST_HOTSPOT,
    }
    if "energy" in figures:
        verdicts["energy in lesion"] = figures["energy"] > figures["energy_centre"]
        verdicts["pointing game"] = figures["pointing"] > figures["pointing_centre"]
    return verdicts


def _references(bench: _Bench, cases: Sequence[Case]) -> list[Row]:
    """The figures of maps that know nothing of the picture, case by case: random and centred."""
    height, width = bench.spec.height, bench.spec.width
    centre, random = centre_gaussian(height, width), np.random.default_rng(0)
    return [
        _figures_of(case, centre, bench.score, "_centre")
        | _figures_of(case, enlarge(random.random((7, 7)), height, width), bench.score, "_random")
        for case in cases
    ]


def _figures(
    bench: _Bench, cases: Sequence[Case], references: Sequence[Row], recipe: Recipe
) -> tuple[Row, Row]:
    """The means of every figure, and the intervals of the leads over the centred map."""
    rows: list[Row] = []
    heats: list[Map] = []
    for case, reference in zip(cases, references, strict=True):
        heat = _heat(bench.network, bench.spec, case, recipe)
        other = _heat(bench.strange, bench.spec, case, recipe)
        heats.append(heat)
        own = _figures_of(case, heat, bench.score, "")
        rows.append(own | reference | {"similarity_randomised": similarity(heat, other)})
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return means | {"hotspot": hotspot_ratio(heats)}, _leads(rows, [case.group for case in cases])


def _figures_of(case: Case, heat: Map, score: Score, suffix: str) -> Row:
    """Deletion and insertion of one map; pointing and energy where a lesion was drawn."""
    figures = {
        f"deletion{suffix}": deletion(case.picture, heat, case.label, score),
        f"insertion{suffix}": insertion(case.picture, heat, case.label, score),
    }
    if case.mask is not None:
        figures[f"pointing{suffix}"] = float(pointing_hit(heat, case.mask))
        figures[f"energy{suffix}"] = energy_in_mask(heat, case.mask)
    return figures


def _leads(rows: Sequence[Row], groups: Sequence[str]) -> Row:
    """The lead over the centred map with its 95 % interval, better being positive."""
    weights = cluster_weights(groups, draws=1000)
    found: Row = {}
    for name, sign in (("deletion", -1), ("insertion", 1), ("pointing", 1), ("energy", 1)):
        if name not in rows[0]:
            continue
        own = np.array([sign * row[name] for row in rows])
        reference = np.array([sign * row[f"{name}_centre"] for row in rows])
        lead = paired_difference(_mean_of(own), _mean_of(reference), weights)
        for end in ("value", "low", "high"):
            value = getattr(lead, end)
            if value is not None:
                found[f"{name}_lead_{end}"] = value
    return found


def _mean_of(values: Map) -> Metric:
    """The weighted mean of one figure as a metric of the bootstrap."""
    return lambda weights: (weights @ values) / weights.sum(axis=1)


def _heat(network: nn.Module, spec: ImageSpec, case: Case, recipe: Recipe) -> Map:
    """The map of the case's label at picture size."""
    tensor = normalise(Image.fromarray((case.picture.sharp * 255).round().astype(np.uint8)), spec)
    raw = influence_map(
        network,
        tensor,
        case.label,
        recipe.layer,
        method=recipe.method,
        contrast=recipe.contrast,
    )
    return enlarge(raw.values.double().numpy(), spec.height, spec.width)


def _rounded(figures: Row) -> Row:
    """The figures for the record."""
    return {key: round(value, 4) for key, value in figures.items()}
