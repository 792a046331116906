"""Tables of the model card in Markdown, each from one member of the metrics JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

_SEPARATION = ("auroc", "false_accepts_at_95", "refused", "named")


def figure_table(everything: dict[str, Any], accepted: dict[str, Any]) -> str:
    """Every figure with its interval, on all inputs and on the accepted ones."""
    rows = [
        (name, interval_text(value), interval_text(accepted.get(name)))
        for name, value in everything.items()
    ]
    return markdown_table(("figure", "all inputs", "accepted only"), rows)


def operating_table(operating: dict[str, Any]) -> str:
    """Counts at the threshold of each label, with Wilson intervals by case."""
    rows = [
        (
            code,
            f"{row['threshold']:.3f}",
            str(row["true_positive"]),
            str(row["false_negative"]),
            str(row["false_positive"]),
            str(row["true_negative"]),
            _range(row["sensitivity_wilson"]),
            _range(row["specificity_wilson"]),
        )
        for code, row in operating.items()
    ]
    head = ("label", "threshold", "TP", "FN", "FP", "TN", "sensitivity", "specificity")
    return "At the threshold (Wilson 95 %):\n\n" + markdown_table(head, rows)


def confusion_table(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> str:
    """Rows true, columns decided."""
    rows = [
        (code, *(str(count) for count in counts))
        for code, counts in zip(labels, confusion, strict=True)
    ]
    return "Confusion (rows true, columns given):\n\n" + markdown_table(("", *labels), rows)


def subgroup_table(subgroups: Iterable[dict[str, Any]]) -> str:
    """The figures of each subgroup; empty without one."""
    rows = [
        (
            f"{group['attribute']} {group['value']}",
            str(group["n"]),
            "; ".join(f"{name} {interval_text(v)}" for name, v in group["figures"].items()),
        )
        for group in subgroups
    ]
    if not rows:
        return ""
    title = "Subgroups of at least 30 inputs (Wilson by case for shares of few):\n\n"
    return title + markdown_table(("group", "n", "figures"), rows)


def baseline_table(table: dict[str, Any]) -> str:
    """Each baseline's own figure and the model's lead over it."""
    rows = [
        (
            name,
            interval_text(row["auroc.macro"]),
            "; ".join(
                f"{key} {interval_text(value)}" for key, value in row.items() if "lead" in key
            ),
        )
        for name, row in table.items()
    ]
    return markdown_table(("baseline", "macro AUROC", "lead of the model"), rows)


def band_table(bands: dict[str, Any]) -> str:
    """Observed rates in the bands of a published scale, with Wilson intervals by case."""
    rows = [
        (
            f"{bands['scale']} {name}",
            str(row["n"]),
            str(row["with_finding"]),
            "–" if row["rate"] is None else f"{row['rate']:.3f} ({_range(row['rate_wilson'])})",
        )
        for name, row in bands["rows"].items()
    ]
    head = ("band (estimate)", "n", bands["label"], "observed rate (Wilson 95 %)")
    return markdown_table(head, rows)


def separation_table(kinds: dict[str, Any], left_out: dict[str, Any]) -> str:
    """How well each foreign kind is told apart, known and left out of the fit."""
    rows = [
        (f"{kind}{note}", *(f"{row[key]:.3f}" if key in row else "–" for key in _SEPARATION))
        for table, note in ((kinds, ""), (left_out, ", never seen"))
        for kind, row in table.items()
    ]
    head = ("kind", "AUROC", "false accepts at 95 % true accepts", "refused", "named rightly")
    return markdown_table(head, rows)


def value_table(values: dict[str, Any]) -> str:
    """Named single values; nested ones are left to the model file."""
    rows = [(name, str(value)) for name, value in values.items() if not isinstance(value, dict)]
    return markdown_table(("check", "value"), rows)


def warning_table(table: dict[str, dict[str, Any]]) -> str:
    """How much a raised warning says about the error, and whether it is given."""
    rows = [
        (
            name,
            str(round(row["raised"])) if "raised" in row else "too few",
            interval_text(row if "value" in row else None),
            "given" if row["kept"] else "removed",
        )
        for name, row in table.items()
    ]
    return markdown_table(("bound", "raised", "difference of the error", "warning"), rows)


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines)


def interval_text(estimate: dict[str, float | None] | None) -> str:
    """`0.912 (0.880–0.940)`, or a dash where the cases do not define the figure."""
    if estimate is None or estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return f"{estimate['value']:.3f}"
    return f"{estimate['value']:.3f} ({estimate['low']:.3f}–{estimate['high']:.3f})"


def _range(bounds: Sequence[float]) -> str:
    """An interval alone."""
    return f"{bounds[0]:.3f}–{bounds[1]:.3f}"


def _cell(text: str) -> str:
    """A cell on one line."""
    return text.replace("|", "\\|").replace("\n", " ")
