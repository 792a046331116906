"""Page: plots and tables of a run as PNG files and one HTML page that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contracts.modality import Modality
from contracts.release import Release
from training.measure.figures import answers_of
from training.measure.scored import Scored
from training.metrics import confusion
from training.release.card_sets import SETS
from training.release.card_tables import interval_text
from training.report import plots
from training.report.tables import Table, set_tables, summary_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = Path(__file__).parent / "page.html.j2"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class _Section:
    """One set on the page: its metrics JSON, what is shown of it, its plots as base64 PNG."""

    name: str
    title: str
    figures: dict[str, Any]
    summary: list[tuple[str, str]]
    tables: list[Table]
    plots: dict[str, str]


def write_report(
    folder: Path,
    release: Release,
    modality: Modality,
    *,
    scored: Mapping[str, Scored],
    figures: Mapping[str, dict[str, Any]],
    history: Sequence[dict[str, float]] = (),
) -> Path:
    """Write `<set>-<plot>.png` and `report.html` into the folder and return the page.

    `figures` is the metrics JSON (`measure.measure`) of each set in `scored`.
    """
    from jinja2 import Environment, StrictUndefined

    folder.mkdir(parents=True, exist_ok=True)
    sections = [
        _Section(
            name,
            SETS.get(name, f"Part {name}"),
            figures[name],
            summary_of(figures[name]),
            set_tables(figures[name], modality),
            _saved(folder, name, _drawn(cases, figures[name], release, modality)),
        )
        for name, cases in sorted(scored.items(), key=lambda item: _place(item[0]))
        if name in figures
    ]
    curves = plots.draw_history(history) if history else {}
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters["interval"] = interval_text
    page = environment.from_string(TEMPLATE.read_text()).render(
        release=release,
        modality=modality,
        sections=sections,
        curves=_saved(folder, "run", curves),
        baselines=release.metrics.get("baselines"),
    )
    target = folder / PAGE
    target.write_text(page)
    return target


def _place(name: str) -> int:
    """Where a set stands on the page: as in the card, others last."""
    return list(SETS).index(name) if name in SETS else len(SETS)


def _drawn(
    scored: Scored, figures: Mapping[str, Any], release: Release, modality: Modality
) -> dict[str, Figure]:
    """Every plot of one set; without exclusive labels each has a confusion of its own."""
    answers = answers_of(scored, release.decision)
    return {
        "roc": plots.draw_roc(answers, modality),
        "precision-recall": plots.draw_precision_recall(answers, modality),
        "reliability": plots.draw_reliability(answers, modality),
        "risk-coverage": plots.draw_risk_coverage(answers),
        "thresholds": plots.draw_thresholds(answers, modality, release.decision.thresholds),
        "confusion": plots.draw_confusion(
            confusion(answers.truth, answers.decided).tolist(), modality.codes
        )
        if release.decision.activation == "softmax"
        else plots.draw_label_confusions(figures["operating"]),
    }


def _saved(folder: Path, name: str, drawn: Mapping[str, Figure]) -> dict[str, str]:
    """Write each plot and return it as base64 for the page."""
    encoded = {}
    for kind, figure in drawn.items():
        payload = plots.png_of(figure)
        (folder / f"{name}-{kind}.png").write_bytes(payload)
        encoded[kind] = base64.b64encode(payload).decode()
    return encoded
