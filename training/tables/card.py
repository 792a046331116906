"""The card of a tabular model: the common card and the tables that only these models have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from contracts.modality import Modality
from contracts.release import Release
from training.card import render_card
from training.release.card_tables import interval_text, markdown_table


def write_table_card(path: Path, release: Release, modality: Modality) -> Path:
    """Write the card beside the model file; raise FileExistsError when there is one."""
    card = path.with_suffix(".md")
    sections = [render_card(release, modality, name=path.name).rstrip(), *_sections(release)]
    with card.open("x") as stream:
        stream.write("\n\n".join(sections) + "\n")
    return card


def _sections(release: Release) -> Iterator[str]:
    """The sections that the metrics of this release have numbers for."""
    figures = release.metrics
    if "masking" in figures:
        yield _masking(figures["masking"], int(release.extra["minimum_terms"]))
        yield _candidates(figures["candidates"])
    if "repeats" in figures:
        yield _repeats(figures["repeats"])
        yield _required(figures["required_only"])
        yield _hospitals(figures["hospitals"])
        yield _bands(release.extra["bands"])


def _masking(curve: Sequence[dict[str, Any]], least: int) -> str:
    """Top-1 and top-3 by the number of symptoms that are entered."""
    rows = [
        (
            str(row["known"]),
            str(row["false"]),
            interval_text(row["top1"]),
            interval_text(row["top3"]),
            f"{row['mean_confidence']:.3f}",
        )
        for row in curve
    ]
    head = ("true symptoms", "false symptoms", "top-1", "top-3", "mean confidence")
    return (
        "## Masking curve\n\nThe data are synthetic, and every classifier is perfect on whole "
        "cases; only partial lists say anything. Each distinct case was scored without its own "
        "fold with symptoms drawn at random (all of them where it has fewer). Intervals: 95 %, "
        f"bootstrap over cases. Below {least} known symptoms no single answer is given.\n\n"
        + markdown_table(head, rows)
    )


def _candidates(candidates: dict[str, list[dict[str, Any]]]) -> str:
    """The models that were compared and not released."""
    rows = [
        (name, *(f"{row['top1']:.3f} / {row['top3']:.3f}" for row in curve if not row["false"]))
        for name, curve in candidates.items()
    ]
    head = ("not released", *(f"k = {k}" for k in range(1, 7)))
    return "Top-1 / top-3 of the other candidates, no false symptom:\n\n" + markdown_table(
        head, rows
    )


def _repeats(repeats: dict[str, dict[str, list[float]]]) -> str:
    """Mean and range over the repeats of the nested cross-validation."""
    rows = [
        (columns, *(_spread(values[name]) for name in ("auroc", "brier", "slope", "intercept")))
        for columns, values in repeats.items()
    ]
    head = ("columns", "AUROC", "Brier score", "calibration slope", "intercept")
    count = len(repeats["all"]["auroc"])
    return (
        f"## Nested cross-validation, {count} repeats\n\nRows of the home hospital, each scored "
        "without its own fold; mean (lowest to highest repeat), before the temperature.\n\n"
        + markdown_table(head, rows)
    )


def _required(figures: dict[str, Any]) -> str:
    """The figures with the required columns alone."""
    wanted = ("auroc.disease", "sensitivity.disease", "specificity.disease", "brier")
    rows = [
        (name, interval_text(value))
        for name, value in figures["all"].items()
        if name in wanted or name.startswith("brier")
    ]
    return "## With the required columns alone\n\n" + markdown_table(("figure", "value"), rows)


def _hospitals(figures: dict[str, Any]) -> str:
    """Each hospital by a model of the others, the mean, and the pooled figure."""
    rows = [
        (
            row["hospital"],
            str(row["n"]),
            str(row["disease"]),
            interval_text(row["auroc"]),
            interval_text(row["auroc_required"]),
            f"{row['brier']:.3f}",
        )
        for row in figures["left_out"]
    ]
    head = ("left out", "n", "disease", "AUROC", "AUROC, required columns", "Brier score")
    return (
        "## One hospital left out\n\n"
        + markdown_table(head, rows)
        + f"\n\nMean AUROC {figures['mean_auroc']:.3f}, with the required columns "
        f"{figures['mean_auroc_required']:.3f}. Random folds over all hospitals together give "
        f"{interval_text(figures['pooled_random_auroc'])}; that is partly recognition of the "
        "hospital and no estimate for a new one."
    )


def _bands(bands: Sequence[dict[str, Any]]) -> str:
    """How often disease was found in each band."""
    rows = [
        (
            row["band"],
            f"{row['minimum']:.3f}",
            str(row["n"]),
            f"{row['observed']:.3f} [{row['low']:.3f}, {row['high']:.3f}]",
        )
        for row in bands
    ]
    head = ("band", "from probability", "n (each row twice)", "disease found (Wilson 95 %)")
    return "## Bands of probability\n\n" + markdown_table(head, rows)


def _spread(values: Sequence[float]) -> str:
    """Mean with the lowest and highest repeat."""
    return f"{np.mean(values):.3f} ({min(values):.3f} to {max(values):.3f})"
