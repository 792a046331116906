"""Card: `v<N>.md` beside the model file, written from the numbers in the file and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from contracts.modality import Modality
from contracts.release import Release
from training.release.card_sets import SETS, percent, set_sections
from training.release.card_tables import (
    baseline_table,
    separation_table,
    value_table,
    warning_table,
)


def write_card(path: Path, release: Release, modality: Modality) -> Path:
    """Write the card of a model file beside it; raise FileExistsError when there is one.

    `release` was read back from the file, so that it holds the file's digest.
    """
    card = path.with_suffix(".md")
    text = render_card(release, modality, name=path.name)
    with card.open("x") as stream:
        stream.write(text)
    return card


def render_card(release: Release, modality: Modality, *, name: str) -> str:
    """Return the card as Markdown."""
    sections = (
        _head(release, modality, name),
        _data(release),
        *set_sections(release),
        _decision(release),
        *_baselines(release),
        *_evidence(release),
        _checks(release),
        _provenance(release),
    )
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(release: Release, modality: Modality, name: str) -> str:
    """Name, intended use and limits."""
    labels = ", ".join(f"{label.code} ({label.name})" for label in modality.labels)
    return (
        f"# {modality.title}, version {release.version}\n\n"
        f"**{modality.notice}**\n\n"
        "Generated from the numbers in the model file.\n\n"
        "## Intended use\n\n"
        f"{modality.indication} For research and education; a person reads every case. "
        "Not for diagnosis, treatment or the exclusion of disease.\n\n"
        f"Labels: {labels}.\n\n"
        f"File: `{name}`, SHA-256 `{release.sha256}`, architecture "
        f"`{release.arch}`."
    )


def _data(release: Release) -> str:
    """What the model was trained on, with attribution."""
    facts = release.provenance.get("manifest", {})
    source = facts.get("source") or "not stated in the manifest"
    parts = release.provenance.get("rows_by_part", {})
    counts = ", ".join(f"{name} {count}" for name, count in sorted(parts.items()))
    lines = ["## Data", "", f"Source and licence: {source}.", "", f"Inputs by part: {counts}."]
    held_out = facts.get("held_out")
    if held_out:
        lines += ["", f"Kept out of every part: {', '.join(map(str, held_out))}."]
    return "\n".join(lines)


def _decision(release: Release) -> str:
    """How the decision rule was made."""
    made = release.metrics.get("calibration", {})
    rule = release.decision
    lines = [
        "## Calibration and decision",
        "",
        f"Fitted on {made.get('n')} cases of {made.get('groups')} groups "
        f"{_role(made)}. Threshold: {made.get('operating_rule')}.",
        "",
        f"- the label given: {_given(release)}",
        f"- temperature: {_numbers(rule.temperature)}; bias: {_numbers(rule.bias)}",
        f"- thresholds: {_numbers(rule.thresholds)}; shift: {_numbers(rule.shift)}",
        f"- lowest probability in the prediction set: {_numbers(rule.set_minimum)}; largest set "
        f"with an answer: {rule.max_set_size}; lowest top probability with an answer: "
        f"{rule.min_probability:.3f}",
    ]
    if rule.undecided:
        lines.append(f"- undecided within: {_numbers(rule.undecided)} of the threshold")
    return "\n".join(lines)


def _given(release: Release) -> str:
    """Which of the possible decisions the model answers with."""
    rule = release.decision
    if rule.activation == "sigmoid":
        return "each label whose probability reaches its threshold"
    if len(rule.shift) == 2:
        return "the second one when its probability reaches the threshold, else the first"
    if not any(rule.shift):
        return "the most probable one"
    return (
        "balanced: the largest log p + shift, which serves rare classes as well as common ones "
        "(strength of the shift chosen on the validation part). Figures without a mark are of "
        "this decision; those marked `plain.` of the most probable label on the same scores"
    )


def _role(made: dict[str, Any]) -> str:
    """What else the calibration cases are for."""
    if made.get("part") == "out_of_fold":
        return "(the out-of-fold scores above)"
    return "that serve no other purpose"


def _baselines(release: Release) -> Iterator[str]:
    """The comparison that the export demands, and the same on the test set as a report."""
    made = release.metrics.get("baselines")
    if made:
        yield f"## Baselines (part {made['part']}; the model must lead)\n\n" + baseline_table(
            made["table"]
        )
    opened = release.metrics.get("test", {}).get("baselines")
    if opened:
        yield "## Baselines on the test set (reported only)\n\n" + baseline_table(opened)


def _evidence(release: Release) -> Iterator[str]:
    """The checks of the input and of the influence map, as they were measured."""
    measured = release.validity.get("measured")
    if measured:
        yield (
            f"## Checks of the input\n\nOn the {measured['measured_on']} "
            f"{percent(measured['not_rejected'])} of {measured['inputs']} own inputs are not "
            "rejected. Foreign kinds, and each as if it had never been seen:\n\n"
            + separation_table(measured["kinds"], measured["left_out"])
        )
    if release.explanation:
        verdict = "shown" if release.explanation.get("passed") else "withheld"
        yield f"## Influence map: {verdict}\n\n" + value_table(release.explanation)
    if release.extra.get("warnings"):
        yield (
            "## Warnings\n\nError on held-out inputs and spoiled copies of them, when the warning "
            "is raised minus when it is not. A warning whose interval holds zero is not given.\n\n"
            + warning_table(release.extra["warnings"])
        )


def _checks(release: Release) -> str:
    """What was not done, and what failed."""
    lines = [f"- {note}" for note in release.provenance.get("notes", ())]
    if "test" not in release.metrics:
        lines.append("- No test set was opened for this model.")
    if earlier := release.metrics.get("test", {}).get("earlier_openings"):
        lines.append(
            f"- Other candidates had been measured on this test set {earlier} times before "
            "(`training/test_openings.jsonl`), so its figures are not blind to the set."
        )
    if not release.validity:
        lines.append("- The file holds no statistics to tell foreign inputs; none is refused.")
    if not release.explanation:
        lines.append("- No check of an influence map was made; no map is shown.")
    for name in (key for key in SETS if key in release.metrics):
        for code in _missing_targets(release.metrics[name]):
            lines.append(f"- {name}: coverage of {code} is below its target.")
    return "## Checks: skipped, failed, informative\n\n" + ("\n".join(lines) or "- None.")


def _missing_targets(figures: dict[str, Any]) -> list[str]:
    """Labels whose coverage is under the target."""
    sets = figures["prediction_sets"]
    return [code for code, value in sets["coverage_by_label"].items() if value < sets["target"]]


def _provenance(release: Release) -> str:
    """How the file came to be."""
    facts = release.provenance
    config = json.dumps(facts["config"], sort_keys=True)
    return "\n".join(
        [
            "## Provenance",
            "",
            f"- created {facts['created']} from commit `{facts['commit']}`",
            f"- manifest SHA-256 `{facts['manifest_sha256']}`",
            f"- stored weights SHA-256 `{facts['weights_sha256']}`",
            f"- initial weights: {facts['init']}",
            f"- seeds {facts['seeds']}, {facts['epochs']} epochs, "
            f"{facts['training_seconds']:.0f} s on {facts['device']}",
            f"- libraries: {_versions(facts['libraries'])}",
            f"- recipe (SHA-256 `{facts['recipe_sha256']}`): `{config}`",
            *_revision(facts),
        ]
    )


def _revision(facts: dict[str, Any]) -> list[str]:
    """Which file the weights and figures come from, when only the evidence was measured anew."""
    if "revised_from" not in facts:
        return []
    return [f"- map and warnings measured anew for the file `{facts['revised_from']}`"]


def _versions(libraries: dict[str, str]) -> str:
    """Libraries with their versions."""
    return ", ".join(f"{name} {number}" for name, number in libraries.items())


def _numbers(values: tuple[float, ...]) -> str:
    """Numbers in label order."""
    return ", ".join(f"{value:.3f}" for value in values)
