"""Revise: the next version of a model file with the same weights and its evidence measured anew.

For a file whose checks of the influence map, of the warnings or of the input were made by older
rules. Weights, calibration and every figure of the answers stay as they are; map recipe, verdict
and warnings are replaced, and with manifests of foreign images the checks of the input, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from contracts.checkpoint import build_from, load_checkpoint, save_checkpoint, with_release
from contracts.modality import Modality
from contracts.registry import get_modality
from contracts.release import Release, next_version
from training.card import write_card
from training.explain.explanation import check_maps
from training.manifest import BadManifest, Manifest
from training.release.plain import plain_values
from training.validity.foreign import measured_checks
from training.validity.warnings import MEMBER, keep_informative


def revise(
    path: Path,
    manifest: Manifest,
    out: Path,
    *,
    others: Sequence[Path] = (),
    log: Callable[[str], None] = lambda line: None,
) -> Path:
    """Write the next version below `out` and return its path; the old file stays.

    The version is above that of the old file and of every file in the folder. Without `others`
    the checks of the input stay as they are. The manifest must be the one that the weights were
    trained with, or held-out inputs are none: raises BadManifest otherwise.
    """
    modality = get_modality(manifest.modality)
    checkpoint = load_checkpoint(path, modality)
    release = checkpoint.release
    if release.provenance.get("manifest_sha256") != manifest.sha256:
        raise BadManifest("this is not the manifest that the model was trained with")
    if release.image is None:
        raise BadManifest("the model takes no picture, so there is no map to measure")
    network = build_from(checkpoint).to(memory_format=torch.channels_last)
    if others:
        numbers, tensors = measured_checks(network, modality, release.image, manifest, others)
        revised = with_release(checkpoint, validity=plain_values(numbers))
        checkpoint = replace(revised, validity=tensors)
        log(f"checks of the input: {numbers['measured']}")
    folder = out / modality.id
    changes = _measured_anew(network, modality, release, manifest, log) | {
        "version": max(release.version + 1, next_version(folder)),
        "provenance": release.provenance | {"revised_from": release.sha256},
    }
    written = save_checkpoint(with_release(checkpoint, **changes), folder)
    write_card(written, load_checkpoint(written, modality).release, modality)
    return written


def _measured_anew(
    network: nn.Module,
    modality: Modality,
    release: Release,
    manifest: Manifest,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """The members of the release that hold the map's recipe and verdict, and the warnings."""
    assert release.image is not None
    explanation = check_maps(network, modality, release.image, manifest)
    log(f"influence map: {explanation['reason'] or 'passed'}")
    kept = keep_informative(
        network, modality, release.image, manifest, release.decision, release.quality
    )
    log(f"warnings kept: {', '.join(n for n, r in kept.table.items() if r['kept']) or 'none'}")
    return {
        "explanation": plain_values(explanation),
        "quality": kept.limits,
        "extra": release.extra | {MEMBER: plain_values(kept.table)},
    }
