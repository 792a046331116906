"""Plots of one set of scored cases, each drawn on its own figure; matplotlib loads on first use."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from contracts.modality import Modality
from training.measure import selective
from training.measure.calibration_error import equal_mass_bins
from training.measure.figures import Answers, confidence_of, named_labels, wrong_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_SIZE_INCHES = (5.2, 4.2)
_DOTS_PER_INCH = 110
#: More labels are told apart by the tables, not by a legend or by numbers in cells.
_MANY = 12
_GREY = "#999999"


def new_figure(title: str, x: str, y: str) -> tuple[Figure, Axes]:
    """Return an empty figure with named axes; it belongs to no window system."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(alpha=0.25)
    return figure, axes


def png_of(figure: Figure) -> bytes:
    """Return the figure as PNG."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()


def draw_history(history: Sequence[dict[str, float]]) -> dict[str, Figure]:
    """Losses, and validation scores, over the epochs; the head alone is fitted before epoch 0."""
    losses = ("loss", "val_nll")
    return {
        "loss": _curves("Loss", history, losses),
        "validation": _curves(
            "Validation scores",
            history,
            [
                name
                for name in sorted({name for row in history for name in row})
                if name.startswith("val_") and name not in losses
            ],
        ),
    }


def _curves(title: str, history: Sequence[dict[str, float]], names: Sequence[str]) -> Figure:
    """One line per name over the epochs that have it."""
    figure, axes = new_figure(title, "epoch", "value")
    for name in names:
        points = [(row["epoch"], row[name]) for row in history if name in row]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    _legend(axes)
    return figure


def draw_roc(answers: Answers, modality: Modality) -> Figure:
    """One ROC curve per label with its area and the operating point."""
    from sklearn.metrics import auc, roc_curve

    figure, axes = new_figure("ROC", "1 - specificity", "sensitivity")
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8)
    for index, code in _drawable(answers, modality):
        truth, positive = answers.truth[:, index], answers.positive[:, index]
        false_rate, sensitivity, _ = roc_curve(truth, answers.probabilities[:, index])
        (line,) = axes.plot(
            false_rate, sensitivity, label=f"{code} {auc(false_rate, sensitivity):.3f}"
        )
        point = positive[~truth].mean(), positive[truth].mean()
        axes.plot(*point, marker="o", color=line.get_color())
    _legend(axes)
    return figure


def draw_precision_recall(answers: Answers, modality: Modality) -> Figure:
    """One precision-recall curve per label."""
    from sklearn.metrics import precision_recall_curve

    figure, axes = new_figure("Precision and recall", "recall", "precision")
    for index, code in _drawable(answers, modality):
        scores = answers.probabilities[:, index]
        precision, recall, _ = precision_recall_curve(answers.truth[:, index], scores)
        axes.plot(recall, precision, label=code)
    _legend(axes)
    return figure


def draw_reliability(answers: Answers, modality: Modality) -> Figure:
    """Observed share against stated probability, in bins of equal mass."""
    figure, axes = new_figure("Reliability", "stated probability", "observed share")
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=0.8)
    for index, code in _drawable(answers, modality):
        p, truth = answers.probabilities[:, index], answers.truth[:, index]
        member = equal_mass_bins(p)
        bins = np.unique(member)
        stated = [p[member == one].mean() for one in bins]
        observed = [truth[member == one].mean() for one in bins]
        axes.plot(stated, observed, marker="o", markersize=3, label=code)
    _legend(axes)
    return figure


def draw_risk_coverage(answers: Answers) -> Figure:
    """Error among the surest cases against their share."""
    figure, axes = new_figure("Risk and coverage", "share answered", "error among them")
    once = np.ones((1, len(answers.truth)))
    coverage, risk = selective.risk_coverage(confidence_of(answers), wrong_of(answers), once)
    axes.plot(coverage[0], risk[0])
    axes.set_ylim(bottom=0)
    return figure


def draw_thresholds(answers: Answers, modality: Modality, thresholds: Sequence[float]) -> Figure:
    """Sensitivity (solid) and specificity (dashed) against the threshold; dots: the chosen ones."""
    figure, axes = new_figure("Thresholds", "threshold", "sensitivity —, specificity - -")
    cuts = np.linspace(0, 1, 201)
    for index, code in _drawable(answers, modality):
        p, truth = answers.probabilities[:, index], answers.truth[:, index]
        positive = p[None, :] >= cuts[:, None]
        (line,) = axes.plot(cuts, positive[:, truth].mean(axis=1), label=code)
        specificity = (~positive[:, ~truth]).mean(axis=1)
        axes.plot(cuts, specificity, linestyle="--", color=line.get_color())
        axes.axvline(thresholds[index], color=line.get_color(), linewidth=0.6)
    _legend(axes)
    return figure


def draw_confusion(confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> Figure:
    """Counts, rows true, columns given; shaded by the share of the row."""
    figure, axes = new_figure("Confusion", "given", "true")
    if len(labels) > _MANY:
        figure.set_size_inches(0.25 * len(labels), 0.25 * len(labels))
    _fill_counts(axes, confusion, labels)
    return figure


def draw_label_confusions(operating: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Two by two counts of each independent label at its threshold, rows true, columns given.

    `operating` is the member of the metrics JSON.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    figure.suptitle("Confusion of each label, rows true, columns given", fontsize=10)
    columns = min(3, len(operating))
    rows = -(-len(operating) // columns)
    for place, (code, row) in enumerate(operating.items(), start=1):
        axes = figure.add_subplot(rows, columns, place)
        axes.set_title(f"{code} from {row['threshold']:.2f}", fontsize=9)
        _fill_counts(
            axes,
            [
                [row["true_negative"], row["false_positive"]],
                [row["false_negative"], row["true_positive"]],
            ],
            ["no", "yes"],
        )
    return figure


def _fill_counts(axes: Axes, confusion: Sequence[Sequence[int]], labels: Sequence[str]) -> None:
    """Write the counts into cells that are shaded by the share of their row."""
    counts = np.asarray(confusion)
    shares = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.grid(visible=False)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right")
    axes.set_yticks(range(len(labels)), labels)
    for (row, column), count in np.ndenumerate(counts):
        shade = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, str(count), ha="center", va="center", color=shade, fontsize=8)


def _drawable(answers: Answers, modality: Modality) -> list[tuple[int, str]]:
    """The named labels for which there are cases with and without."""
    return [
        (index, code)
        for index, code in named_labels(modality)
        if answers.truth[:, index].any() and not answers.truth[:, index].all()
    ]


def _legend(axes: Axes) -> None:
    """A small legend of the labelled lines, if there are some and not many."""
    if 0 < len(axes.get_legend_handles_labels()[0]) <= _MANY:
        axes.legend(fontsize=8)
