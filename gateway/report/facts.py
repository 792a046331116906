"""What stands behind the answer: the input, the model with its measured figures, the record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contracts.modality import JSON, WFDB_ZIP, Modality
from contracts.schemas import ModelInfo, Outcome, Prediction
from gateway.report.answer import name_of
from gateway.report.evidence import factor_name, titles_of
from gateway.report.page import Measured, Row
from gateway.report.words import number, plain, say
from gateway.strings import catalogue

#: The sets whose figures a card holds, the most independent first.
SETS = ("test", "out_of_fold", "val")
#: Labels whose sensitivity and specificity are named.
MOST_LABELS = 3


def facts_of(prediction: Prediction, modality: Modality) -> tuple[Row, ...]:
    """Return what was received, measured and understood, and what the checks say."""
    rows = [Row(say("input.received"), _received(prediction))]
    rows += _measurements(prediction, modality)
    rows += _terms(prediction, modality)
    warnings = [warning.message for warning in prediction.warnings]
    if modality.is_image and prediction.outcome is not Outcome.REJECTED:
        warnings = warnings or [say("input.quality.none")]
    if warnings:
        rows.append(Row(say("input.quality"), " ".join(warnings)))
    return tuple(rows)


def model_of(prediction: Prediction, modality: Modality, info: ModelInfo | None) -> tuple[Row, ...]:
    """Return which model answered; `info` is None when the service holds another one by now."""
    rows = [Row(say("model.name"), f"{prediction.model.name}, {prediction.model.version}")]
    provenance = info.provenance if info is not None else {}
    manifest = provenance.get("manifest")
    source = manifest.get("source") if isinstance(manifest, dict) else None
    created = str(provenance.get("created", ""))[:10]
    rows += [Row(say("model.data"), str(source))] if source else []
    rows += [Row(say("model.made"), created)] if created else []
    rows.append(Row(say("model.for"), modality.indication))
    return tuple(rows)


def measured_of(
    prediction: Prediction, modality: Modality, info: ModelInfo | None
) -> tuple[tuple[Measured, ...], str]:
    """Return the figures of the card that matter most, and on what they were measured."""
    name, figures = _best_set(info)
    if name is None:
        return (), say("figures.missing")
    note = say(
        "figures.population",
        source=say(f"figures.{name}"),
        n=number(figures.get("n", 0)),
        groups=number(figures.get("groups", 0)),
    )
    return tuple(_measured(figures, _named(prediction, modality), modality)), note


def record_of(prediction: Prediction) -> tuple[Row, ...]:
    """Return the ids under which this answer can be found and proved."""
    model = prediction.model
    pairs = {
        "record.prediction": prediction.prediction_id,
        "record.request": prediction.request_id,
        "record.input": prediction.input.sha256,
        "model.sha256": model.sha256,
        "record.preprocessing": model.preprocessing_id,
        "record.calibration": model.calibration_id,
    }
    return tuple(Row(say(key), value, code=True) for key, value in pairs.items() if value)


def _received(prediction: Prediction) -> str:
    """The kind and size of the input."""
    facts = prediction.input
    if facts.media_type in (JSON, WFDB_ZIP):
        return say("input.table" if facts.media_type == JSON else "input.record")
    kind = facts.media_type.rpartition("/")[2].upper()
    if facts.width is None or facts.height is None:
        return kind
    grey = (facts.mode or "").startswith(("L", "I", "1"))
    return say(
        "input.picture",
        kind=kind,
        width=number(facts.width),
        height=number(facts.height),
        mode=say("mode.grey" if grey else "mode.colour"),
        bits=facts.bits or 8,
    )


def _measurements(prediction: Prediction, modality: Modality) -> Iterator[Row]:
    """Facts that need no model; the values of the picture checks stay in the API's answer."""
    titles = catalogue()
    for name, value in prediction.measurements.items():
        counted = name == "symptoms_known" and prediction.symptoms_recognised
        if name.startswith("quality.") or value in (None, "", []) or counted:
            continue
        key = f"measurement.{name}"
        yield Row(titles.get(key, plain(name)), _in_words(key, value, modality))


def _in_words(key: str, value: object, modality: Modality) -> str:
    """One measured value as text."""
    if isinstance(value, list):
        titles = titles_of(modality)
        return ", ".join(titles.get(str(one), str(one)) for one in value)
    if isinstance(value, float | int):
        return number(value)
    return catalogue().get(f"{key}.{value}", plain(str(value)))


def _terms(prediction: Prediction, modality: Modality) -> Iterator[Row]:
    """The terms that were understood, and the places of those that were not."""
    known = [factor_name(modality, term) for term in prediction.symptoms_recognised]
    unknown = [
        say("input.unrecognised.position", position=one.position + 1)
        for one in prediction.symptoms_unrecognised
    ]
    for key, values in (("input.symptoms", known), ("input.unrecognised", unknown)):
        if values:
            yield Row(say(key), ", ".join(values))


def _best_set(info: ModelInfo | None) -> tuple[str | None, dict[str, Any]]:
    """Return the most independent set that the card holds, None when it holds none."""
    metrics = info.metrics if info is not None else {}
    for name in SETS:
        found = metrics.get(name)
        if isinstance(found, dict) and isinstance(found.get("all"), dict):
            return name, found
    return None, {}


def _named(prediction: Prediction, modality: Modality) -> list[str]:
    """The labels whose operating point the reader needs: the answer, then the critical ones."""
    answered = [prediction.label] if prediction.label and len(modality.codes) > 2 else []
    wanted = [*answered, *modality.critical] or list(modality.codes[1:2])
    return list(dict.fromkeys(wanted))[:MOST_LABELS]


def _measured(figures: dict[str, Any], labels: list[str], modality: Modality) -> Iterator[Measured]:
    """The chosen figures that the card holds, in the order of the page."""
    every = figures["all"]
    keys = ["auroc" if len(modality.codes) == 2 else "auroc.macro", "balanced_accuracy"]
    rows = [
        (say(f"figure.{key}"), every.get("auroc.macro" if key == "auroc" else key)) for key in keys
    ]
    for code in labels:
        for key in ("sensitivity", "specificity"):
            title = say(f"figure.{key}", name=name_of(modality, code))
            rows.append((title, every.get(f"{key}.{code}")))
    rows.append((say("figure.ece"), every.get("ece")))
    for title, found in rows:
        if found is not None:
            interval = f"{found['low']:.3f}–{found['high']:.3f}"
            yield Measured(title, f"{found['value']:.3f}", interval)
    coverage = figures.get("prediction_sets", {}).get("coverage")
    if isinstance(coverage, float):
        yield Measured(say("figure.coverage"), f"{coverage:.3f}", "")
