"""Inputs and model files that many tests share, made at test time.

With REQUIRE_ALL set in the environment, no server may be missing.
"""

import io
import os
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

NEEDS_A_SERVER = ("browser", "postgres", "redis")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a test that needs a server into a failure where all must run."""
    report = yield
    marked = any(item.get_closest_marker(name) for name in NEEDS_A_SERVER)
    if report.skipped and marked and os.environ.get("REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"REQUIRE_ALL is set, but this was skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def tiny_checkpoint_path(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function from a modality id to a released file with random weights, 64 pixels.

    The file lies in `<folder>/<modality>/v1.pth` with its `SHA256SUMS`, and is made once.
    """
    made: dict[str, Path] = {}

    def path_of(modality_id: str) -> Path:
        if modality_id not in made:
            folder = tmp_path_factory.mktemp("models") / modality_id
            made[modality_id] = write_tiny_checkpoint(modality_id, folder)
        return made[modality_id]

    return path_of


def write_tiny_checkpoint(modality_id: str, folder: Path, **changes: object) -> Path:
    """Write a model file with random weights; `changes` replace members of its release."""
    import torch

    from contracts.checkpoint import Checkpoint, build_from, half_precision, save_checkpoint
    from contracts.modality import DecisionRule, ImageSpec
    from contracts.network import build_network, forward_features
    from contracts.registry import get_modality
    from contracts.release import Release
    from vision_service.golden import normalise_golden

    modality = get_modality(modality_id)
    size = len(modality.labels)
    spec = ImageSpec(width=64, height=64, base_width=64, base_height=64)
    rule = DecisionRule(
        activation=modality.activation,
        temperature=(1.0,) * (size if modality.activation == "sigmoid" else 1),
        bias=(0.0,) * size,
        shift=(0.0,) * size,
        thresholds=(0.5,) * size,
        set_minimum=(0.05,) * size,
        max_set_size=size,
    )
    members: dict[str, object] = {
        "modality": modality.id,
        "version": 1,
        "arch": "efficientnet_b0",
        "labels": modality.codes,
        "decision": rule,
        "image": spec,
        "render": modality.render,
        "explanation": {"layer": "features[8]", "passed": True},
        "likelihood_ratios": {
            code: {"positive": 8.0, "negative": 0.1} for code in modality.critical
        },
    }
    torch.manual_seed(7)
    network = build_network("efficientnet_b0", size, dropout=0.0, drop_path=0.0)
    golden = torch.randint(0, 256, (3, 3, 64, 64), dtype=torch.uint8)
    # Statistics of one batch keep the signal alive through random layers, so that answers differ.
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
        noise = torch.randint(0, 256, (24, 3, 64, 64), dtype=torch.uint8)
        logits = network.train()(normalise_golden(noise, spec))
        network.classifier[1].weight /= logits.std()
    network.eval()
    draft = Checkpoint(
        Release(**(members | changes)),  # type: ignore[arg-type]
        half_precision(network.state_dict()),
        golden,
        torch.zeros((3, size)),
    )
    with torch.no_grad():
        logits = forward_features(build_from(draft), normalise_golden(golden, spec)).logits
    return save_checkpoint(Checkpoint(draft.release, draft.weights, golden, logits), folder)


@pytest.fixture(scope="session")
def png_bytes() -> bytes:
    """A grey 96 × 80 PNG with structure."""
    return _picture("PNG")


@pytest.fixture(scope="session")
def jpeg_bytes() -> bytes:
    """A grey 96 × 80 JPEG with structure."""
    return _picture("JPEG")


def _picture(kind: str) -> bytes:
    """Encode a gradient with stripes."""
    from PIL import Image

    pixels = bytes((2 * x + y + 40 * (x // 8 % 2)) % 256 for y in range(80) for x in range(96))
    buffer = io.BytesIO()
    Image.frombytes("L", (96, 80), pixels).save(buffer, format=kind)
    return buffer.getvalue()


def strace_of_opens(file: Path) -> list[str]:
    """The words before a command that make strace write each file it opens to `file`."""
    traced = ["-e", "trace=openat,open,creat", "-s", "4096"]
    return ["strace", "-D", "-f", "--seccomp-bpf", "-qq", *traced, "-o", str(file)]
