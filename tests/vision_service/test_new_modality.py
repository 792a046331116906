"""A seventh image modality needs an entry and a model file, and no code of the service."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import torch

from contracts.checkpoint import Checkpoint, half_precision, save_checkpoint
from contracts.modality import DecisionRule, ImageSpec, Label
from contracts.network import build_network, forward_features
from contracts.registry import get_modality
from contracts.release import Release
from vision_service.app import create_app
from vision_service.golden import normalise_golden

KNEE = replace(
    get_modality("chest-xray"),
    id="knee-mri",
    title="Knee MRI",
    labels=(Label("intact", "Intact"), Label("torn", "Torn"), Label("unclear", "Unclear")),
    critical=("torn",),
    triage=(),
)


def write_model(folder):
    spec = ImageSpec(64, 64, 64, 64)
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", 3)
    weights = half_precision(network.state_dict())
    network.load_state_dict(weights)
    golden = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        logits = forward_features(network.eval(), normalise_golden(golden, spec)).logits
    rule = DecisionRule("softmax", (1.0,), (), (0.0,) * 3, (0.5,) * 3, (0.05,) * 3, 3)
    release = Release("knee-mri", 1, "efficientnet_b0", KNEE.codes, rule, image=spec)
    return save_checkpoint(Checkpoint(release, weights, golden, logits), folder)


async def test_a_seventh_modality_answers_with_its_own_labels(
    tmp_path, settings_for, opened, png_bytes
):
    settings = settings_for(modality="knee-mri", checkpoint=write_model(tmp_path))

    async with opened(create_app(settings, KNEE)) as client:
        response: httpx2.Response = await client.post(
            "/predict", content=png_bytes, headers={"content-type": "image/png"}
        )

    assert response.status_code == 200
    answer = response.json()
    assert answer["modality"] == "knee-mri"
    assert set(answer["probabilities"]) == {"intact", "torn", "unclear"}
