"""Revise: the next version of a model file with the same weights and its evidence measured anew.

For a file whose checks of the influence map or of the warnings were made by older rules. Weights,
calibration and every figure stay as they are; only map recipe, verdict and warnings are replaced.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from contracts.checkpoint import build_from, load_checkpoint, save_checkpoint, with_release
from contracts.registry import get_modality
from contracts.release import next_version
from training.card import write_card
from training.explain.explanation import check_maps
from training.manifest import BadManifest, Manifest
from training.release.plain import plain_values
from training.validity.warnings import MEMBER, keep_informative


def revise(
    path: Path, manifest: Manifest, out: Path, *, log: Callable[[str], None] = lambda line: None
) -> Path:
    """Write the next version below `out` and return its path; the old file stays.

    The manifest must be the one that the weights were trained with, or held-out inputs are none:
    raises BadManifest otherwise.
    """
    modality = get_modality(manifest.modality)
    checkpoint = load_checkpoint(path, modality)
    release = checkpoint.release
    if release.provenance.get("manifest_sha256") != manifest.sha256:
        raise BadManifest("this is not the manifest that the model was trained with")
    if release.image is None:
        raise BadManifest("the model takes no picture, so there is no map to measure")
    network = build_from(checkpoint)
    explanation = check_maps(network, modality, release.image, manifest)
    log(f"influence map: {explanation['reason'] or 'passed'}")
    kept = keep_informative(
        network, modality, release.image, manifest, release.decision, release.quality
    )
    log(f"warnings kept: {', '.join(n for n, r in kept.table.items() if r['kept']) or 'none'}")
    folder = out / modality.id
    revised = with_release(
        checkpoint,
        version=next_version(folder),
        explanation=plain_values(explanation),
        quality=kept.limits,
        extra=release.extra | {MEMBER: plain_values(kept.table)},
        provenance=release.provenance | {"revised_from": release.sha256},
    )
    written = save_checkpoint(revised, folder)
    write_card(written, load_checkpoint(written, modality).release, modality)
    return written
