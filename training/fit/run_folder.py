"""What a finished run leaves in its folder, written and read back.

`weights.pt` and `run.json`, and the weights of each seed in a folder of its own: so calibration
and export can be repeated without training again.
"""

from __future__ import annotations

import json
from pathlib import Path

from torch import Tensor

from contracts.registry import get_modality
from training.config import config_from_record
from training.fit.inputs import image_spec
from training.fit.trained import Trained
from training.manifest import Manifest
from training.resume import load_weights, save_weights


def save_run(trained: Trained) -> None:
    """Write the weights and the facts of a finished run into its folder."""
    save_weights(trained.run_dir / "weights.pt", trained.weights)
    facts = {
        "modality": trained.modality.id,
        "config": trained.config,
        "manifest_sha256": trained.manifest.sha256,
        "history": trained.history,
        "seconds": trained.seconds,
        "device": trained.device,
        "init": trained.init,
        "seeds": list(trained.seeds),
    }
    (trained.run_dir / "run.json").write_text(json.dumps(facts, indent=1))


def load_run(run_dir: Path, manifest: Manifest) -> Trained:
    """Read a finished run back; raise ValueError when it was trained on another manifest."""
    facts = json.loads((run_dir / "run.json").read_text())
    if facts["manifest_sha256"] != manifest.sha256:
        raise ValueError("this run was trained on another manifest")
    modality = get_modality(facts["modality"])
    config = config_from_record(facts["config"])
    return Trained(
        modality=modality,
        config=facts["config"],
        manifest=manifest,
        weights=load_weights(run_dir / "weights.pt"),
        arch=config.arch,
        image=image_spec(modality, config),
        render=modality.render,
        run_dir=run_dir,
        history=facts["history"],
        seconds=facts["seconds"],
        device=facts["device"],
        init=facts["init"],
        seeds=tuple(facts["seeds"]),
    )


def seed_weights(trained: Trained) -> dict[str, dict[str, Tensor]]:
    """Return the weights of every single seed of a run that has several."""
    if len(trained.seeds) < 2:
        return {}
    return {
        f"seed {seed}": load_weights(trained.run_dir / f"seed-{seed}" / "weights.pt")
        for seed in trained.seeds
    }
