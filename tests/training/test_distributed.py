"""One command line for one process and for several."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training.distributed import Team, choose_device, join_team
from training.resume import load_state

SETTINGS = ["width=32", "height=32", "epochs=1", "head_epochs=1", "batch_size=4", "seeds=[0]"]
#: Nothing that depends on the size of a process's batch or on its random numbers.
PLAIN = [
    *("width=32", "height=32", "epochs=1", "head_epochs=0", "seeds=[0]", "amp=off"),
    *("dropout=0", "drop_path=0", "freeze_batchnorm=true", "imbalance=none", "augment={}"),
    *("warmup=0", "schedule=cosine"),
]
TORCHRUN = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]


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


def train(
    manifest: Path, run: Path, *launcher: str, settings: Sequence[str] = SETTINGS
) -> dict[str, object]:
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
    command += [part for setting in settings for part in ("--set", setting)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900)
    assert result.returncode == 0, result.stderr[-3000:]
    return json.loads((run / "run.json").read_text())


def test_two_processes_train_together_with_the_same_command(manifest, tmp_path):
    alone = train(manifest, tmp_path / "alone")
    together = train(manifest, tmp_path / "together", *TORCHRUN)

    assert alone["history"][0] == together["history"][0]
    assert len(together["history"]) == 2
    assert (tmp_path / "together" / "weights.pt").exists()


def gradients_of(run: Path) -> torch.Tensor:
    """The running mean of all gradients at the end of the epoch in one row.

    Weights would hide what is compared: AdamW makes a whole step of a gradient that is nearly zero.
    """
    moments = load_state(run / "seed-0")["optimizer"]["state"].values()
    return torch.cat([moment["exp_avg"].flatten().double() for moment in moments])


def test_two_processes_take_the_steps_of_one_with_twice_the_batch(manifest, tmp_path):
    alone, together, half = tmp_path / "alone", tmp_path / "together", tmp_path / "half"

    train(manifest, alone, settings=[*PLAIN, "batch_size=8"])
    train(manifest, together, *TORCHRUN, settings=[*PLAIN, "batch_size=4"])
    train(manifest, half, settings=[*PLAIN, "batch_size=4"])

    one, two, other = (gradients_of(run) for run in (alone, together, half))
    assert float((one - two).norm()) < 0.01 * float((one - other).norm())


def test_a_process_started_alone_leads():
    with join_team("cpu") as team:
        assert team == Team(0, 1, 0)
        assert team.leads


def test_a_device_that_is_not_there_is_refused():
    if torch.cuda.is_available():
        pytest.skip("a CUDA device is here")
    with pytest.raises(ValueError, match="no CUDA device"):
        choose_device("cuda")
