"""Opened test: the one look at a test set that a model gets, and its row in the log.

One opening measures the released weights, the single seeds and their ensemble together.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from torch import nn

from contracts.checkpoint import half_precision
from contracts.modality import DecisionRule
from contracts.network import build_network
from training.evaluation.predict import score_rows
from training.fit.trained import Trained
from training.manifest import TEST, TRAIN
from training.measure.baselines import baseline_scores, compare
from training.measure.document import measure
from training.measure.scored import Scored, scored_from, set_digest
from training.release.openings import (
    Opening,
    append_opening,
    count_openings,
    find_opening,
    refuse_second,
    weights_digest,
)
from training.release.options import ReleaseOptions
from training.release.plain import plain_values
from training.release.provenance import git_commit, recipe_digest


def open_test(
    network: nn.Module, trained: Trained, rule: DecisionRule, options: ReleaseOptions
) -> tuple[dict[str, Any], Scored | None]:
    """Measure the part `test` and log it; return its metrics JSON and the scores.

    When the log holds this model under the same rule its figures are returned, without scores.
    Raises AlreadyOpened before anything is read, ValueError when there is no such part.
    """
    rows = trained.manifest.part(TEST)
    if not rows:
        raise ValueError("the manifest has no part test")
    digests = [weights_digest(half_precision(trained.weights))]
    digests += [weights_digest(half_precision(weights)) for weights in options.members.values()]
    logged = find_opening(set_digest(rows), digests[0], options.openings)
    if logged is not None and logged["rule"] == plain_values(asdict(rule)):
        return logged["metrics"], None
    for digest in digests:
        refuse_second(set_digest(rows), digest, options.openings)
    scored = _score(network, trained)
    result = measure(scored, rule, trained.modality, draws=options.draws)
    result |= _members(scored, trained, rule, options)
    result["earlier_openings"] = count_openings(set_digest(rows), options.openings)
    baselines = baseline_scores(
        trained.manifest.part(TRAIN), rows, trained.modality, trained.render
    )
    result["baselines"] = compare(scored, rule, trained.modality, baselines, draws=options.draws)
    opening = _row(trained, tuple(dict.fromkeys(digests)), rule, result, options)
    append_opening(opening, options.openings)
    return opening.metrics, scored


def _score(network: nn.Module, trained: Trained) -> Scored:
    """Logits of the test part."""
    rows = trained.manifest.part(TEST)
    logits = score_rows(network, rows, trained.modality, trained.image, trained.render)
    return scored_from(rows, logits, trained.modality)


def _members(
    scored: Scored, trained: Trained, rule: DecisionRule, options: ReleaseOptions
) -> dict[str, Any]:
    """Figures of each further set of weights, and of the mean of their logits, by name."""
    logits = {}
    for name, weights in options.members.items():
        member = build_network(trained.arch, len(trained.modality.labels))
        member.load_state_dict(half_precision(weights))
        logits[name] = _score(member, trained).logits
    if len(logits) > 1:
        logits["ensemble"] = np.mean(list(logits.values()), axis=0)
    figures = {
        name: measure(
            scored_from(scored.rows, values, trained.modality),
            rule,
            trained.modality,
            draws=options.draws,
        )["all"]
        for name, values in logits.items()
    }
    return {"members": figures} if figures else {}


def _row(
    trained: Trained,
    digests: tuple[str, ...],
    rule: DecisionRule,
    result: dict[str, Any],
    options: ReleaseOptions,
) -> Opening:
    """The row of the log."""
    rows = trained.manifest.part(TEST)
    return Opening(
        date=options.clock().isoformat(timespec="seconds"),
        commit=git_commit(),
        recipe_sha256=recipe_digest(trained.config),
        weights_sha256=digests,
        set_id=f"{trained.modality.id}/{TEST}",
        set_sha256=set_digest(rows),
        manifest_sha256=trained.manifest.sha256,
        rule=plain_values(asdict(rule)),
        metrics=plain_values(result),
        reason=options.test_reason,
    )
