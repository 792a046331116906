"""An answer as people read it on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from os.path import commonpath

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from client.batch import Result
from client.errors import MediFlowError, Refused
from contracts.schemas import Outcome, Prediction, Reason

#: Of a long list of labels, those below the highest are of little use on a terminal.
MOST_LABELS = 7
BAR_WIDTH = 20
_STYLES = {
    Outcome.ACCEPTED: "bold green",
    Outcome.ABSTAINED: "bold yellow",
    Outcome.REJECTED: "bold red",
}
_BANDS = {"low": "green", "moderate": "yellow", "high": "bold red", "urgent": "bold red"}


def show_answer(console: Console, file: str, prediction: Prediction) -> None:
    """Print one answer: outcome, probabilities against thresholds, reasons, next step, model."""
    title = Text.assemble(
        (prediction.outcome.value.upper(), _STYLES[prediction.outcome]),
        ("  " + headline(prediction), "bold"),
        (f"\n{prediction.modality}  ·  {file}", "dim"),
    )
    parts: list[RenderableType] = [title]
    if prediction.probabilities:
        parts += [Text(), _probabilities(prediction)]
    facts = list(_facts(prediction))
    if facts:
        parts += [Text(), _grid(facts)]
    parts += [Text(), Text(prediction.notice, "italic")]
    console.print(Group(*parts))


def show_summary(console: Console, results: Sequence[Result]) -> None:
    """Print many results below each other."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("modality", "outcome", "answer", "p"):
        table.add_column(heading, no_wrap=True)
    table.add_column("file and notes", overflow="fold")
    folder = commonpath([result.file.absolute().parent for result in results])
    for result in results:
        table.add_row(*_cells(result, str(result.file.absolute().relative_to(folder))))
    console.print(table)


def show_error(console: Console, error: MediFlowError, file: str = "") -> None:
    """Print what went wrong and what to do."""
    text = Text(f"{file}: " if file else "")
    text.append(str(error), "red")
    if isinstance(error, Refused):
        if error.advice:
            text.append(f"\n{error.advice}")
        text.append(f"\n({error.code}, request {error.problem.request_id})", "dim")
    console.print(text)


def headline(prediction: Prediction) -> str:
    """Return the answer in a few words."""
    if prediction.outcome is Outcome.REJECTED:
        return "no answer: the input does not fit the model"
    if prediction.outcome is Outcome.ABSTAINED:
        return "no single answer is sure enough"
    names = {finding.label: finding.name for finding in prediction.findings}
    if prediction.label is not None:
        chance = prediction.probabilities.get(prediction.label)
        percent = "" if chance is None else f", {chance:.1%}"
        return f"{names.get(prediction.label, prediction.label)}{percent}"
    positive = [finding.name for finding in prediction.findings if finding.positive]
    return ", ".join(positive) or "none of the findings"


def _probabilities(prediction: Prediction) -> Table:
    """Each label with its probability, a bar, and the side of its threshold."""
    names = {finding.label: finding.name for finding in prediction.findings}
    thresholds = {finding.label: finding.threshold for finding in prediction.findings}
    ranked = sorted(prediction.probabilities.items(), key=lambda item: -item[1])
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(justify="right")
    for label, chance in ranked[:MOST_LABELS]:
        bar = "█" * round(chance * BAR_WIDTH)
        table.add_row(
            Text(names.get(label, label)),
            f"{chance:.1%}",
            Text(bar.ljust(BAR_WIDTH, "·"), "cyan"),
            Text(_side(chance, thresholds.get(label)), "dim"),
        )
    if len(ranked) > MOST_LABELS:
        rest = sum(chance for _, chance in ranked[MOST_LABELS:])
        table.add_row(Text(f"{len(ranked) - MOST_LABELS} others", "dim"), f"{rest:.1%}", "", "")
    return table


def _side(chance: float, threshold: float | None) -> str:
    if threshold is None:
        return ""
    return f"{'over' if chance >= threshold else 'under'} threshold {threshold:.1%}"


def _facts(prediction: Prediction) -> Iterator[tuple[str, RenderableType]]:
    """What belongs to the answer, each with its name."""
    for reason in prediction.reasons:
        yield "because", Text(_reason(reason))
    yield from _numbers(prediction)
    yield from _symptoms(prediction)
    if prediction.contributions:
        yield "rests on", _contributions(prediction)
    if prediction.triage:
        triage = prediction.triage
        band = Text(triage.band, _BANDS[triage.band])
        yield "next step", band.append(f"  {triage.next_step} ({triage.timeline})", "default")
        yield "source", Text(triage.source, "dim")
    for warning in prediction.warnings:
        yield "note", Text(_reason(warning))
    yield "model", Text(f"{prediction.model.name} {prediction.model.version}", "dim")
    if prediction.prediction_id:
        yield "prediction", Text(prediction.prediction_id, "dim")


def _numbers(prediction: Prediction) -> Iterator[tuple[str, RenderableType]]:
    """What follows from the probabilities: the set, sums, and probabilities after the test."""
    names = {finding.label: finding.name for finding in prediction.findings}
    if len(prediction.prediction_set) > 1:
        yield (
            "not excluded",
            Text(", ".join(names.get(label, label) for label in prediction.prediction_set)),
        )
    for name, chance in prediction.derived.items():
        yield name.replace("_", " "), f"{chance:.1%}"
    for test in prediction.post_test:
        yield (
            "after the test",
            Text(
                f"{names.get(test.label, test.label)} {test.probability:.1%} "
                f"at a prevalence of {test.prevalence:.1%}"
            ),
        )


def _symptoms(prediction: Prediction) -> Iterator[tuple[str, RenderableType]]:
    """Symptoms that were not understood, with what was perhaps meant."""
    for unknown in prediction.symptoms_unrecognised:
        guesses = ", ".join(unknown.suggestions)
        meant = f"; did you mean {guesses}?" if guesses else ""
        yield "not understood", Text(f"symptom {unknown.position + 1}{meant}")


def _contributions(prediction: Prediction) -> Table:
    """What each factor adds, in log-odds."""
    table = Table.grid(padding=(0, 2))
    for part in prediction.contributions:
        value = f"{part.value:g}" if isinstance(part.value, float) else str(part.value)
        table.add_row(
            Text(part.name.replace("_", " ")),
            Text(f"{value} {part.unit}".strip()),
            f"{part.contribution:+.2f}",
        )
    return table


def _reason(reason: Reason) -> str:
    """A reason for people, with the way out where there is one."""
    if reason.looks_like is None:
        return reason.message
    return f"{reason.message} It looks like {reason.looks_like}: --modality {reason.looks_like}"


def _grid(facts: Sequence[tuple[str, RenderableType]]) -> Table:
    """Names on the left, once each; what they say on the right."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    before = ""
    for name, text in facts:
        table.add_row("" if name == before else name, text)
        before = name
    return table


def _cells(result: Result, name: str) -> tuple[RenderableType, ...]:
    """One line of the summary, notes below the file."""
    end, text = result.end, Text(name)
    if not isinstance(end, Prediction):
        return "", Text("error", "bold red"), "", "", text.append(f"\n{end}", "red")
    best = end.probabilities.get(end.label) if end.label else None
    for reason in (*end.reasons, *end.warnings):
        text.append(f"\n{reason.message}", "dim")
    positive = ", ".join(finding.label for finding in end.findings if finding.positive)
    return (
        end.modality,
        Text(end.outcome.value, _STYLES[end.outcome]),
        Text(end.label or (positive if end.outcome is Outcome.ACCEPTED else "")),
        "" if best is None else f"{best:.2f}",
        text,
    )
