"""Export: from a finished run to `models/<modality>/v<N>.pth` and its card.

    half precision → write a draft → reload it → calibrate, measure and compare the reloaded one
    → write the release → golden logits agree after reading it back → card, report

Every published figure belongs to the reloaded half-precision weights. A model without a clear
lead over its baselines is refused, a version is never overwritten.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from contracts.checkpoint import (
    GOLDEN_TOLERANCE,
    Checkpoint,
    build_from,
    half_precision,
    load_checkpoint,
    save_checkpoint,
)
from contracts.errors import BadCheckpoint
from contracts.modality import DecisionRule
from contracts.release import Release, next_version
from contracts.views import MEMBER
from training.card import write_card
from training.fit.trained import Trained
from training.release.assess import Assessment, assess
from training.release.golden import golden_input, golden_logits
from training.release.openings import weights_digest
from training.release.options import ReleaseOptions
from training.release.plain import plain_values
from training.release.provenance import provenance_of
from training.release.tta import fit_views
from training.report.page import write_report
from training.validity.quality import fit_quality
from training.validity.warnings import MEMBER as WARNINGS
from training.validity.warnings import Kept, keep_informative


def release(
    trained: Trained,
    out: Path,
    *,
    others: tuple[Path, ...] = (),
    options: ReleaseOptions | None = None,
) -> Path:
    """Write the next version below `out` and return its path.

    Raises NotBetterThanBaseline, AlreadyOpened (test set), ValueError for a manifest without the
    parts that are needed, and BadCheckpoint for numbers that are not finite.
    """
    options = options or ReleaseOptions()
    folder = out / trained.modality.id
    draft = reload_half(trained)
    network = build_from(draft)
    assessment = assess(network, trained, options)
    validity, tensors = _validity(network, trained, others, options)
    kept = _quality(network, trained, assessment.rule, options)
    provenance = provenance_of(
        trained, weights_sha256=weights_digest(draft.weights), now=options.clock()
    ) | {"notes": list(options.notes)}
    finished = replace(
        draft,
        release=replace(
            draft.release,
            version=next_version(folder),
            decision=assessment.rule,
            quality=kept.limits,
            validity=plain_values(validity),
            explanation=plain_values(_explanation(network, trained, options)),
            likelihood_ratios=assessment.likelihood_ratios,
            metrics=plain_values(assessment.metrics),
            provenance=plain_values(provenance),
            extra=plain_values({WARNINGS: kept.table} | _extra(network, trained, assessment.rule)),
        ),
        golden_logits=golden_logits(network, draft.golden_input, trained.image),
        validity=tensors,
    )
    check_golden(_through_file(finished, trained), trained)
    path = save_checkpoint(finished, folder)
    stored = load_checkpoint(path, trained.modality).release
    write_card(path, stored, trained.modality)
    if options.report:
        _report(stored, trained, assessment)
    return path


def _report(stored: Release, trained: Trained, assessment: Assessment) -> None:
    """Write plots and page into the run folder."""
    write_report(
        trained.run_dir / f"report-v{stored.version}",
        stored,
        trained.modality,
        scored=assessment.scored,
        figures=stored.metrics,
        history=trained.history,
    )


def _explanation(network: nn.Module, trained: Trained, options: ReleaseOptions) -> dict[str, Any]:
    """Layer and checks of the influence map; nothing when nobody measures them."""
    return options.fit_explanation(network, trained) if options.fit_explanation else {}


def _quality(
    network: nn.Module, trained: Trained, rule: DecisionRule, options: ReleaseOptions
) -> Kept:
    """The limits of the image measures, with the warnings that were shown to say something."""
    return keep_informative(
        network,
        trained.modality,
        trained.image,
        trained.manifest,
        rule,
        fit_quality(trained),
        draws=options.draws,
    )


def _extra(network: nn.Module, trained: Trained, rule: DecisionRule) -> dict[str, Any]:
    """Test-time augmentation, where the recipe asks for it."""
    views = fit_views(network, trained, rule)
    return {MEMBER: views} if views else {}


def reload_half(trained: Trained) -> Checkpoint:
    """Write the weights in half precision to a temporary file and return what is read back."""
    size = len(trained.modality.labels)
    neutral = DecisionRule(
        activation=trained.modality.activation,
        temperature=(1.0,) * (size if trained.modality.activation == "sigmoid" else 1),
        bias=(0.0,) * size,
        shift=(0.0,) * size,
        thresholds=(0.5,) * size,
        set_minimum=(0.0,) * size,
        max_set_size=size,
    )
    draft = Checkpoint(
        release=Release(
            modality=trained.modality.id,
            version=1,
            arch=trained.arch,
            labels=trained.modality.codes,
            decision=neutral,
            image=trained.image,
            render=trained.render,
        ),
        weights=half_precision(trained.weights),
        golden_input=golden_input(trained.image),
        golden_logits=torch.zeros((1, size)),
    )
    return _through_file(draft, trained)


def check_golden(stored: Checkpoint, trained: Trained) -> None:
    """Raise BadCheckpoint when a file that was read back does not repeat its golden logits."""
    again = golden_logits(build_from(stored), stored.golden_input, trained.image)
    if not torch.allclose(again, stored.golden_logits, atol=GOLDEN_TOLERANCE, rtol=0):
        raise BadCheckpoint("the released file does not repeat its golden logits")


def _through_file(checkpoint: Checkpoint, trained: Trained) -> Checkpoint:
    """Write a checkpoint to a temporary folder and return what is read back."""
    with tempfile.TemporaryDirectory() as folder:
        return load_checkpoint(save_checkpoint(checkpoint, Path(folder)), trained.modality)


def _validity(
    network: nn.Module, trained: Trained, others: tuple[Path, ...], options: ReleaseOptions
) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The statistics of the input checks, when somebody fits them."""
    if options.fit_validity is None:
        return {}, {}
    return options.fit_validity(network, trained, others)
