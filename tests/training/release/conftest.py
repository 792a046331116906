"""A small trained run on generated pictures: the class is the strength of the noise.

No linear model of a thumbnail can tell it; the pooled features of an untrained network with a
fitted head can.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression

from contracts.images import decode_image
from contracts.modality import ImageSpec
from contracts.network import build_network, forward_features
from contracts.preprocessing import image_to_tensor
from contracts.registry import get_modality
from training.export import release
from training.fit.trained import Trained
from training.manifest import Manifest, Row, file_sha256, read_manifest, write_manifest
from training.release.options import ReleaseOptions

SPEC = ImageSpec(width=64, height=64, base_width=64, base_height=64)
PARTS = (("train", 60), ("val", 80), ("cal", 80), ("test", 60))


def speckled(strong, random):
    """Noise about a random grey level; its strength, which no linear model sees, is the class."""
    strength = random.uniform(22, 40) if strong else random.uniform(6, 24)
    noise = random.normal(random.uniform(90, 160), strength, (64, 64))
    return Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))


def write_rows(folder, random):
    rows = []
    for part, count in PARTS:
        for index in range(count):
            label = ("NORMAL", "PNEUMONIA")[index % 2]
            path = folder / f"{part}-{index}.png"
            speckled(label == "PNEUMONIA", random).save(path)
            rows.append(
                Row(
                    path.name,
                    path,
                    label,
                    part,
                    group=f"{part}-{index // 4}-{label}",
                    sha256=file_sha256(path),
                    attributes={
                        "sex": ("male", "female")[int(random.integers(2))],
                        "age": str(random.integers(20, 80)),
                    },
                )
            )
    return rows


def fitted_weights(rows):
    torch.manual_seed(0)
    network = build_network("efficientnet_b0", 2)
    pictures = [decode_image(row.path.read_bytes(), MODALITY.limits).image for row in rows]
    batch = torch.stack([image_to_tensor(picture, SPEC) for picture in pictures])
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train().features(batch)
        features = forward_features(network.eval(), batch).penultimate.numpy()
    scale = float(features.std())
    head = LogisticRegression(max_iter=2000).fit(features / scale, [r.label for r in rows])
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    row = torch.from_numpy(head.coef_ / scale).float()
    weights["classifier.1.weight"] = torch.cat([-row, row]) / 2
    offset = torch.from_numpy(head.intercept_).float()
    weights["classifier.1.bias"] = torch.cat([-offset, offset]) / 2
    return weights


MODALITY = get_modality("chest-xray")


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Trained:
    folder = Path(tmp_path_factory.mktemp("generated"))
    torch.set_num_threads(1)
    rows = write_rows(folder, np.random.default_rng(3))
    path = folder / "manifest.csv"
    write_manifest(path, Manifest("chest-xray", tuple(rows), {"source": "generated noise"}))
    manifest = read_manifest(path)
    return Trained(
        modality=MODALITY,
        config={"minimum_sensitivity": 0.95},
        manifest=manifest,
        weights=fitted_weights(manifest.part("train")),
        arch="efficientnet_b0",
        image=SPEC,
        render=None,
        run_dir=folder / "run",
        history=[{"epoch": 0.0, "loss": 0.7, "val_auroc": 0.9}],
        seconds=1.0,
        device="CPU",
        init="random initialisation",
        seeds=(0,),
    )


@pytest.fixture(scope="session")
def manifest_path(trained) -> Path:
    return trained.run_dir.parent / "manifest.csv"


@pytest.fixture
def degenerate(trained) -> Trained:
    weights = dict(trained.weights)
    weights["classifier.1.weight"] = torch.zeros_like(weights["classifier.1.weight"])
    return replace(trained, weights=weights)


@dataclass(frozen=True)
class Released:
    """One release of the run with its test part opened, shared by the tests that only read."""

    path: Path
    openings: Path
    options: ReleaseOptions


@pytest.fixture(scope="session")
def released(trained, tmp_path_factory) -> Released:
    folder = Path(tmp_path_factory.mktemp("released"))
    options = ReleaseOptions(
        members={"seed 0": trained.weights},
        fit_validity=None,
        test_reason="first release",
        notes=("The recipe was chosen on these very cases.",),
        openings=folder / "openings.jsonl",
        draws=200,
        clock=lambda: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    return Released(release(trained, folder / "models", options=options), options.openings, options)
