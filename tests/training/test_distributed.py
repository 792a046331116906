"""One command line for one process and for several."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.distributed import Team, choose_device, join_team

SETTINGS = ["width=32", "height=32", "epochs=1", "head_epochs=1", "batch_size=4", "seeds=[0]"]


@pytest.fixture
def manifest(tmp_path):
    """Twenty-four generated films of twenty-four patients."""
    rng = np.random.default_rng(0)
    rows = [("path", "label", "split", "group")]
    for index in range(24):
        label = ("NORMAL", "PNEUMONIA")[index % 2]
        pixels = rng.integers(0, 255, (64, 64), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
        rows.append((f"{index}.png", label, "train" if index < 16 else "val", f"patient-{index}"))
    path = tmp_path / "manifest.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def train(manifest: Path, run: Path, *launcher: str) -> dict[str, object]:
    command = [sys.executable, *launcher, "-m", "training", "train", "chest-xray"]
    command += [
        "--manifest",
        str(manifest),
        "--run-folder",
        str(run),
        "--device",
        "cpu",
        "--no-export",
    ]
    command += [part for setting in SETTINGS for part in ("--set", setting)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads((run / "run.json").read_text())


def test_two_processes_train_together_with_the_same_command(manifest, tmp_path):
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]

    alone = train(manifest, tmp_path / "alone")
    together = train(manifest, tmp_path / "together", *torchrun)

    assert alone["history"][0] == together["history"][0]
    assert len(together["history"]) == 2
    assert (tmp_path / "together" / "weights.pt").exists()


def test_a_process_started_alone_leads():
    with join_team("cpu") as team:
        assert team == Team(0, 1, 0)
        assert team.leads


def test_a_device_that_is_not_there_is_refused():
    import torch

    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    with pytest.raises(ValueError, match="no CUDA device"):
        choose_device("cuda")
