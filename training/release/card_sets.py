"""The sections of the model card that show one measured set each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.release import Release
from training.release.card_tables import (
    band_table,
    confusion_table,
    figure_table,
    operating_table,
    subgroup_table,
)

#: The sets whose figures a card shows, with what they are.
SETS = {
    "test": "Test set, opened once for this model",
    "out_of_fold": "Out-of-fold figures (of the recipe; each case scored without its own fold)",
    "val": "Validation part (also used to choose the epoch, so a little flattering)",
}


def set_sections(release: Release) -> Iterator[str]:
    """The figures of each set, all inputs first."""
    for name, title in SETS.items():
        figures = release.metrics.get(name)
        if figures:
            yield _set(title, figures, release)


def _set(title: str, figures: dict[str, Any], release: Release) -> str:
    """One set: size, figures, operating points, sets, confusion, subgroups."""
    classes = ", ".join(f"{code} {count}" for code, count in figures["classes"].items())
    share = figures["accepted_share"]
    blocks = [
        f"## {title}",
        f"{figures['n']} inputs of {figures['groups']} groups ({classes}). Intervals: 95 %, "
        "bootstrap over groups. “All” counts every input whatever the outcome; “accepted” those "
        f"that get a single answer by the decision rule ({percent(share['value'])} of the "
        "inputs; the checks of the input come on top).",
        figure_table(figures["all"], figures["accepted"]),
        operating_table(figures["operating"]),
        _prediction_sets(figures["prediction_sets"]),
    ]
    if "confusion" in figures:
        blocks.append(confusion_table(figures["confusion"], release.labels))
    if "bands" in figures:
        blocks.append(_bands(figures["bands"]))
    blocks.append(subgroup_table(figures["subgroups"]))
    return "\n\n".join(block for block in blocks if block)


def _prediction_sets(sets: dict[str, Any]) -> str:
    """Coverage of the prediction sets."""
    each = ", ".join(
        f"{code} {percent(value)}" for code, value in sets["coverage_by_label"].items()
    )
    return (
        f"Prediction sets: target {percent(sets['target'])} per label, reached "
        f"{percent(sets['coverage'])} ({each}); mean size {sets['mean_size']:.2f}, single label "
        f"{percent(sets['single_share'])}. The coverage holds for inputs like the calibration "
        "cases; under another device, hospital or population it does not."
    )


def _bands(bands: dict[str, Any]) -> str:
    """What the reading of the probability by a published scale is worth."""
    cut = bands["clear_below"]
    clear = (
        f"“Essentially 0 %” is a probability below {percent(cut)}, the least that the calibration "
        "cases can show."
        if cut
        else "The calibration cases are too few to call any probability “essentially 0 %”."
    )
    return (
        f"{bands['scale']}, an estimate read from the probability of {bands['label']} alone by the "
        f"bands of the scale. The data hold no {bands['scale']} category, so no accuracy of it "
        f"can be claimed. {clear}\n\n{band_table(bands)}"
    )


def percent(value: float | None) -> str:
    """A share in percent."""
    return "not defined" if value is None else f"{100 * value:.1f} %"
