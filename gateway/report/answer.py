"""The answer and its meaning in words: headline, bars, band and next step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.modality import Modality
from contracts.schemas import Outcome, Prediction, Reason
from gateway.report.page import Answer, Bar, NextStep
from gateway.report.words import percent, plain, say

#: Labels that are drawn; of a longer list only the likeliest.
MOST_BARS = 7
MANY_BARS = 5


def answer_of(prediction: Prediction, modality: Modality, titles: Mapping[str, str]) -> Answer:
    """Return what the model says; `titles` names the kind that a rejected input looks like."""
    outcome = prediction.outcome
    return Answer(
        outcome=outcome.value,
        status=say(f"outcome.{outcome.value}"),
        headline=_headline(prediction, modality),
        meaning=(_meaning(prediction, modality),),
        reasons=tuple(_reason(reason, titles) for reason in prediction.reasons),
    )


def bars_of(prediction: Prediction, modality: Modality) -> tuple[Bar, ...]:
    """Return the likeliest labels, highest first, with everything in the prediction set."""
    findings = {finding.label: finding for finding in prediction.findings}
    held = set(prediction.prediction_set)
    bars = []
    for code in _shown(prediction):
        finding = findings.get(code)
        positive = finding is not None and finding.positive
        marks = {"mark.positive": positive, "mark.set": code in held}
        bars.append(
            Bar(
                name=name_of(modality, code),
                value=percent(prediction.probabilities[code]),
                share=prediction.probabilities[code],
                threshold=_line(None if finding is None else finding.threshold),
                marks=tuple(say(mark) for mark, is_set in marks.items() if is_set),
                strong=positive or code == prediction.label,
            )
        )
    return tuple(bars)


def bar_notes_of(prediction: Prediction, modality: Modality, coverage: object) -> tuple[str, ...]:
    """Return what the bars need to be read; `coverage` as the model file states it."""
    return tuple(_bar_notes(prediction, modality, coverage)) if prediction.probabilities else ()


def next_step_of(prediction: Prediction) -> NextStep | None:
    """Return band and next step; for a rejected input what to do with it; None without a table."""
    if prediction.outcome is Outcome.REJECTED:
        return NextStep("", "", say("next.rejected"), "", ())
    triage = prediction.triage
    if triage is None:
        return None
    notes = [say("next.set")] if len(prediction.prediction_set) > 1 else []
    return NextStep(
        band=triage.band,
        band_text=say("next.band", band=say(f"band.{triage.band}")),
        step=triage.next_step,
        timeline=say("next.timeline", timeline=triage.timeline),
        notes=(*notes, say("next.source", source=triage.source)),
    )


def name_of(modality: Modality, code: str) -> str:
    """Return how a label is called, its code when the registry does not know it."""
    return next((label.name for label in modality.labels if label.code == code), code)


def _headline(prediction: Prediction, modality: Modality) -> str:
    """The answer in one line."""
    if prediction.outcome is not Outcome.ACCEPTED:
        return say(f"headline.{prediction.outcome.value}")
    if modality.activation == "sigmoid":
        positive = [finding.name for finding in prediction.findings if finding.positive]
        return " · ".join(positive) or say("headline.none")
    return name_of(modality, prediction.label) if prediction.label else say("headline.none")


def _meaning(prediction: Prediction, modality: Modality) -> str:
    """What the outcome means, with the likeliest label's probability where there is one answer."""
    if prediction.outcome is not Outcome.ACCEPTED or not prediction.label:
        return say(f"meaning.{_unanswered(prediction)}")
    if modality.activation == "sigmoid":
        return say("meaning.labels")
    p = percent(prediction.probabilities.get(prediction.label, 0.0))
    if modality.vocabulary:
        return say("meaning.symptoms", p=p)
    return say("meaning.class", p=p, name=name_of(modality, prediction.label))


def _unanswered(prediction: Prediction) -> str:
    return "rejected" if prediction.outcome is Outcome.REJECTED else "abstained"


def _reason(reason: Reason, titles: Mapping[str, str]) -> str:
    """One reason, with the kind that the input looks like."""
    title = titles.get(reason.looks_like or "")
    if title is None:
        return reason.message
    return say("reason.looks_like", message=reason.message, title=title)


def _shown(prediction: Prediction) -> list[str]:
    """Return the codes to draw, likeliest first."""
    ranked = sorted(prediction.probabilities, key=lambda code: -prediction.probabilities[code])
    return ranked if len(ranked) <= MOST_BARS else ranked[:MANY_BARS]


def _line(threshold: float | None) -> float | None:
    """A threshold at an end of the bar says nothing and is not drawn."""
    return threshold if threshold is not None and 0 < threshold < 1 else None


def _bar_notes(prediction: Prediction, modality: Modality, coverage: object) -> Iterator[str]:
    """Derived sums, other prevalences, and how to read line and set."""
    shown = _shown(prediction)
    for name, p in prediction.derived.items():
        yield say("bars.derived", name=plain(name).lower(), p=percent(p))
    for one in prediction.post_test:
        yield say(
            "bars.post_test",
            name=name_of(modality, one.label),
            prevalence=percent(one.prevalence),
            p=percent(one.probability),
            ratio=f"{one.likelihood_ratio:.2g}",
        )
    rest = [p for code, p in prediction.probabilities.items() if code not in shown]
    if rest:
        yield say("bars.rest", count=len(rest), p=percent(max(rest)))
    if prediction.findings:
        yield say("bars.threshold")
    if isinstance(coverage, float):
        key = "bars.set" if prediction.prediction_set else "bars.set.empty"
        yield say(key, coverage=percent(coverage).replace(".0", ""))
