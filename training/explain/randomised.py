"""The two sides of a network that the checks of maps need: its scores, and its randomised twin."""

from __future__ import annotations

import copy

import numpy as np
import torch
from PIL import Image
from torch import nn

from contracts.modality import ImageSpec, Modality
from contracts.preprocessing import normalise
from training.explain.map_checks import Map, Pixels, Score

#: Blocks from here on lose their weights.
FIRST_RANDOM = 5


def scorer(network: nn.Module, spec: ImageSpec, modality: Modality) -> Score:
    """Return the function from pictures to the uncalibrated probability of one label."""

    def score(pictures: Pixels, label: int) -> Map:
        images = [Image.fromarray((p * 255).round().astype(np.uint8)) for p in pictures]
        with torch.inference_mode():
            logits = network(torch.stack([normalise(image, spec) for image in images]))
        softmax = modality.activation == "softmax"
        probabilities = logits.softmax(1) if softmax else logits.sigmoid()
        return np.asarray(probabilities[:, label].double().numpy())

    return score


def randomised(network: nn.Module) -> nn.Module:
    """Return a copy whose head and last stages hold random weights (Adebayo et al. 2018)."""
    strange = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(0)
    features = strange.get_submodule("features")
    assert isinstance(features, nn.Sequential)
    for part in (*list(features)[FIRST_RANDOM:], strange.get_submodule("classifier")):
        for parameter in part.parameters():
            if parameter.ndim > 1:
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.data = noise * parameter.data.std()
    return strange
