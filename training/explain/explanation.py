"""Choose the layer of the influence map and decide whether the model may show one.

On validation inputs, each candidate layer is checked (see `map_checks`); the best by insertion
minus deletion is kept. The map is shown only if it beats a random and a centred map in deletion
and insertion, changes when the weights are randomised, has no fixed hotspot, and, where lesion
masks exist, holds more of the lesion than a centred map. Figures travel in the model file.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import nn

from contracts.explainer import influence_map
from contracts.images import normalise, to_canonical
from contracts.modality import ImageSpec
from training.explain.map_checks import (
    Blurred,
    Map,
    Pixels,
    Score,
    blur,
    centre_gaussian,
    deletion,
    energy_in_mask,
    enlarge,
    hotspot_ratio,
    insertion,
    pointing_hit,
    similarity,
)
from training.fit.inputs import loader_for
from training.fit.trained import Trained
from training.manifest import VAL, Row

LAYERS = ("features[4]", "features[5]", "features[6]", "features[8]")
COUNT = 48
#: Bounds stated before measuring.
MOST_SIMILAR, MOST_HOTSPOT = 0.6, 4.0


@dataclass(frozen=True, slots=True)
class Case:
    """One validation input: picture at input size, its label, its lesion mask or None."""

    picture: Blurred
    label: int
    mask: NDArray[np.bool_] | None


def fit_explanation(network: nn.Module, trained: Trained) -> dict[str, Any]:
    """Return layer, `passed` and the figures of every check on up to 48 validation inputs."""
    cases = _cases(trained)
    score = _scorer(network, trained)
    references = _references(trained, cases, score)
    measured = {layer: _measure(network, trained, cases, layer, score) for layer in LAYERS}
    layer = max(LAYERS, key=lambda name: measured[name]["insertion"] - measured[name]["deletion"])
    figures = measured[layer] | references
    verdicts = _verdicts(figures)
    failed = sorted(name for name, passed in verdicts.items() if not passed)
    return {
        "layer": layer,
        "passed": not failed,
        "reason": f"The map failed: {', '.join(failed)}." if failed else None,
        "inputs": len(cases),
        **{key: round(value, 4) for key, value in figures.items()},
        "localisation": "measured on lesion masks" if "pointing" in figures else "not validated",
        "layers": {name: _rounded(found) for name, found in measured.items()},
    }


def _verdicts(figures: dict[str, float]) -> dict[str, bool]:
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
    return verdicts


def _references(trained: Trained, cases: Sequence[Case], score: Score) -> dict[str, float]:
    """The figures of maps that know nothing of the picture: random and centred."""
    height, width = trained.image.height, trained.image.width
    centre, random = centre_gaussian(height, width), np.random.default_rng(0)
    rows = []
    for case in cases:
        noise = enlarge(random.random((7, 7)), height, width)
        rows.append(
            _faithfulness(case, noise, score, "_random")
            | _faithfulness(case, centre, score, "_centre")
            | _localisation(case, centre, "_centre")
        )
    return _means(rows)


def _measure(
    network: nn.Module, trained: Trained, cases: Sequence[Case], layer: str, score: Score
) -> dict[str, float]:
    """All figures of one layer, each the mean over the inputs."""
    strange = _randomised(network)
    rows: list[dict[str, float]] = []
    heats: list[Map] = []
    for case in cases:
        heat = _heat(network, trained.image, case, layer)
        other = _heat(strange, trained.image, case, layer)
        heats.append(heat)
        rows.append(
            _faithfulness(case, heat, score, "")
            | _localisation(case, heat, "")
            | {"similarity_randomised": similarity(heat, other)}
        )
    return _means(rows) | {"hotspot": hotspot_ratio(heats)}


def _faithfulness(case: Case, heat: Map, score: Score, suffix: str) -> dict[str, float]:
    """Deletion and insertion of one map."""
    return {
        f"deletion{suffix}": deletion(case.picture, heat, case.label, score),
        f"insertion{suffix}": insertion(case.picture, heat, case.label, score),
    }


def _localisation(case: Case, heat: Map, suffix: str) -> dict[str, float]:
    """Pointing and energy against the lesion mask, nothing without one."""
    if case.mask is None or not case.mask.any():
        return {}
    return {
        f"pointing{suffix}": float(pointing_hit(heat, case.mask)),
        f"energy{suffix}": energy_in_mask(heat, case.mask),
    }


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """The mean of every figure over the inputs that have it."""
    keys = sorted({key for row in rows for key in row})
    return {key: float(np.mean([row[key] for row in rows if key in row])) for key in keys}


def _heat(network: nn.Module, spec: ImageSpec, case: Case, layer: str) -> Map:
    """The map of the case's own label at picture size."""
    tensor = normalise(Image.fromarray((case.picture.sharp * 255).round().astype(np.uint8)), spec)
    raw = influence_map(network, tensor, case.label, layer).values.double().numpy()
    return enlarge(raw, spec.height, spec.width)


def _scorer(network: nn.Module, trained: Trained) -> Score:
    """Return the function from pictures to the uncalibrated probability of one label."""
    softmax = trained.modality.activation == "softmax"

    def score(pictures: Pixels, label: int) -> Map:
        images = [Image.fromarray((p * 255).round().astype(np.uint8)) for p in pictures]
        with torch.inference_mode():
            logits = network(torch.stack([normalise(image, trained.image) for image in images]))
        probabilities = logits.softmax(1) if softmax else logits.sigmoid()
        return np.asarray(probabilities[:, label].double().numpy())

    return score


def _randomised(network: nn.Module) -> nn.Module:
    """A copy whose head and last stages hold random weights."""
    strange = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(0)
    features = strange.get_submodule("features")
    assert isinstance(features, nn.Sequential)
    for part in (*list(features)[5:], strange.get_submodule("classifier")):
        for parameter in part.parameters():
            if parameter.ndim > 1:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.data = noise * parameter.data.std()
    return strange


def _cases(trained: Trained) -> list[Case]:
    """Evenly spread validation inputs, those of a finding first."""
    modality = trained.modality
    wanted = set(modality.critical) or set(modality.codes[1:])
    rows = [row for row in trained.manifest.part(VAL) if wanted & set(row.labels)]
    rows = rows[:: max(1, len(rows) // COUNT)][:COUNT]
    load = loader_for(rows, modality)
    cases = []
    for index, row in enumerate(rows):
        pixels = np.asarray(to_canonical(load(index, 0), trained.image), dtype=np.float32)
        label = next(code for code in row.labels if code in wanted)
        cases.append(
            Case(
                blur(pixels / np.float32(255)),
                modality.codes.index(label),
                _mask(row, trained.image),
            )
        )
    return cases


def _mask(row: Row, spec: ImageSpec) -> NDArray[np.bool_] | None:
    """The lesion mask fitted as the picture is, or None."""
    name = row.attributes.get("mask")
    if not name:
        return None
    with Image.open(row.path.parent / name) as image:
        fitted = to_canonical(image.convert("L").convert("RGB"), spec)
    return np.asarray(fitted.convert("L")) > 127


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    """The figures of a layer for the record."""
    return {key: round(value, 4) for key, value in figures.items()}
