"""Summary: an evaluation in plain text, for the terminal."""

from __future__ import annotations

from typing import Any

from training.release.card_tables import interval_text


def summarise(metrics: dict[str, Any]) -> str:
    """Return model, outcomes and every figure with its interval, all inputs first."""
    model = metrics["model"]
    lines = [
        f"{model['modality']} v{model['version']} ({model['sha256'][:12]}), part "
        f"{metrics['part']}: {metrics['rows']} inputs",
        f"outcomes: {_counts(metrics['outcomes'])}",
    ]
    if metrics["reasons"]:
        lines.append(f"reasons: {_counts(metrics['reasons'])}")
    figures = metrics.get("figures")
    if figures is None:
        return "\n".join([*lines, "no input has a label of this model: no figures"])
    share = interval_text(figures["accepted_share"])
    lines.append(f"{figures['n']} inputs with figures, accepted share {share}")
    lines.append(f"{'figure':44} {'all inputs':24} accepted only")
    for name, value in figures["all"].items():
        accepted = interval_text(figures["accepted"].get(name))
        lines.append(f"{name:44} {interval_text(value):24} {accepted}")
    return "\n".join(lines)


def _counts(table: dict[str, int]) -> str:
    """Names with their counts, largest first."""
    return ", ".join(f"{name} {count}" for name, count in sorted(table.items(), key=_by_count))


def _by_count(item: tuple[str, int]) -> tuple[int, str]:
    """Largest first, then by name."""
    return -item[1], item[0]
