"""Tables of the page, each from members of the metrics JSON; figures by name become matrices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.modality import Modality
from training.measure.figures import PREVALENCES
from training.release.card_tables import interval_text

Figures = Mapping[str, dict[str, float | None]]

#: The figures at the head of a set, where they are there.
SUMMARY = (
    "auroc.macro",
    "auprc.macro",
    "balanced_accuracy",
    "exact_match",
    "f1.macro",
    "plain.f1.macro",
    "brier",
    "nll",
    "ece",
)
_PER_CLASS = (
    "auroc",
    "auprc",
    "sensitivity_at_80_specificity",
    "sensitivity_at_90_specificity",
    "sensitivity",
    "specificity",
    "recall",
    "precision",
    "f1",
)
_PREDICTIVE = tuple(
    f"{name}_at_{prevalence * 100:g}_prevalence"
    for prevalence in PREVALENCES
    for name in ("ppv", "npv")
)


@dataclass(frozen=True, slots=True)
class Table:
    """One table; a `folded` one is shown when asked for."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    folded: bool = False


def set_tables(figures: Mapping[str, Any], modality: Modality) -> list[Table]:
    """Return the tables of one set in the order of the page, without empty ones."""
    names = [*modality.codes, *(derived.name for derived in modality.derived)]
    everything, accepted = figures["all"], figures["accepted"]
    tables = (
        _overall(everything, accepted, names),
        _by_class("Per class, all inputs", everything, names, _PER_CLASS),
        _by_class(
            "Predictive values at three prevalences, all inputs", everything, names, _PREDICTIVE
        ),
        _by_class("Per class, accepted inputs", accepted, names, _PER_CLASS, folded=True),
        _by_class("Predictive values, accepted inputs", accepted, names, _PREDICTIVE, folded=True),
        _thresholds(figures["operating"]),
        _prediction_sets(figures["prediction_sets"]),
        *_bands(figures.get("bands")),
        *_subgroups(figures["subgroups"], names),
    )
    return [table for table in tables if table.rows]


def summary_of(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and text of the figures at the head of a set."""
    known = [(_words(name), figures["all"].get(name)) for name in SUMMARY]
    shown = [(name, interval_text(value)) for name, value in known if value is not None]
    return [*shown, ("accepted share", interval_text(figures["accepted_share"]))]


def _overall(everything: Figures, accepted: Figures, names: Sequence[str]) -> Table:
    """The figures of all labels together."""
    rows = [
        (_words(name), interval_text(value), interval_text(accepted.get(name)))
        for name, value in everything.items()
        if name.partition(".")[2] not in names
    ]
    return Table("All labels together", ("figure", "all inputs", "accepted only"), tuple(rows))


def _by_class(
    title: str,
    figures: Figures,
    names: Iterable[str],
    kinds: Sequence[str],
    *,
    folded: bool = False,
) -> Table:
    """One row per label, one column per kind of figure that any label has."""
    columns = [kind for kind in kinds if any(f"{kind}.{name}" in figures for name in names)]
    rows = [
        (name, *(interval_text(figures.get(f"{kind}.{name}")) for kind in columns))
        for name in names
        if any(f"{kind}.{name}" in figures for kind in columns)
    ]
    return Table(title, ("label", *map(_words, columns)), tuple(rows), folded)


def _thresholds(operating: Mapping[str, dict[str, Any]]) -> Table:
    """Counts at the threshold of each label."""
    rows = tuple(
        (
            code,
            f"{row['threshold']:.3f}",
            *(
                str(row[count])
                for count in ("true_positive", "false_negative", "false_positive", "true_negative")
            ),
            *(_range(row[f"{kind}_wilson"]) for kind in ("sensitivity", "specificity")),
        )
        for code, row in operating.items()
    )
    head = ("label", "threshold", "TP", "FN", "FP", "TN", "sensitivity", "specificity")
    return Table("Decision thresholds (Wilson 95 % by case)", head, rows)


def _prediction_sets(sets: Mapping[str, Any]) -> Table:
    """Coverage by label; the size stands in the title."""
    title = (
        f"Prediction sets: target {sets['target']:.2f}, mean size {sets['mean_size']:.2f}, "
        f"single label {sets['single_share']:.2f}"
    )
    rows = tuple((code, f"{value:.3f}") for code, value in sets["coverage_by_label"].items())
    return Table(title, ("label", "coverage"), rows)


def _bands(bands: Mapping[str, Any] | None) -> Iterator[Table]:
    """Observed rates by band of a published scale."""
    if not bands:
        return
    rows = tuple(
        (name, str(row["n"]), str(row["with_finding"]), _range(row["rate_wilson"]))
        for name, row in bands["rows"].items()
    )
    title = f"{bands['scale']} (estimate from the probability of {bands['label']})"
    yield Table(title, ("band", "n", bands["label"], "observed rate (Wilson 95 %)"), rows)


def _subgroups(groups: Sequence[Mapping[str, Any]], names: Sequence[str]) -> Iterator[Table]:
    """The figures of all labels together by subgroup, and folded those of single labels."""
    present = list(dict.fromkeys(name for group in groups for name in group["figures"]))
    single = [name for name in present if name.partition(".")[2] in names]
    together = [name for name in present if name not in single]
    if len(single) <= 4:
        together, single = [*together, *single], []
    for title, columns, folded in (
        ("Subgroups of at least 30 inputs (Wilson by case for few)", together, False),
        ("Subgroups by label", single, True),
    ):
        rows = tuple(
            (
                f"{group['attribute']} {group['value']}",
                str(group["n"]),
                *(interval_text(group["figures"].get(name)) for name in columns),
            )
            for group in (groups if columns else ())
        )
        yield Table(title, ("group", "n", *map(_words, columns)), rows, folded)


def _words(name: str) -> str:
    """A figure's name as people read it."""
    plain, _, rest = name.rpartition("plain.")
    text = rest.replace("_", " ").replace(".", ", ")
    for short in ("auroc", "auprc", "nll", "ece", "aurc", "ppv", "npv", "f1"):
        text = text.replace(short, short.upper())
    text = text.replace("brier", "Brier")
    text = text.replace(" specificity", " % specificity") if " at " in text else text
    text = text.replace(" prevalence", " % prevalence").replace(" coverage", " % coverage")
    return f"{text} (most probable label)" if name.startswith("plain.") else plain + text


def _range(bounds: Sequence[float]) -> str:
    """An interval alone."""
    return f"{bounds[0]:.3f}–{bounds[1]:.3f}"
