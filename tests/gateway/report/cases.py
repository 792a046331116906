"""Answers of each kind, as services give them, and the pages made of them."""

import base64
import io
from datetime import UTC, datetime

from PIL import Image

from contracts.registry import MODALITIES, get_modality
from contracts.schemas import Explanation, ModelInfo
from gateway.client import Picture
from gateway.report.compose import Case, compose

MADE = datetime(2026, 3, 14, 15, 9, 26, tzinfo=UTC)
SHA = "ab" * 32
TITLES = {modality.id: modality.title for modality in MODALITIES}


def png(width=40, height=30):
    """A small picture."""
    stream = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).save(stream, "PNG")
    return stream.getvalue()


def figure(value):
    return {"value": value, "low": value - 0.02, "high": value + 0.01}


def info(modality, **changes):
    """What the service says of its model."""
    every = {"auroc.macro": figure(0.97), "balanced_accuracy": figure(0.85), "ece": figure(0.03)}
    for label in modality.codes:
        every |= {f"sensitivity.{label}": figure(0.91), f"specificity.{label}": figure(0.72)}
    test = {"n": 624, "groups": 427, "all": every, "prediction_sets": {"coverage": 0.877}}
    facts = {
        "modality": modality.id,
        "version": "v3",
        "sha256": SHA,
        "arch": "efficientnet_b0",
        "labels": list(modality.codes),
        "device": "cpu",
        "backend": "onnxruntime",
        "decision": {"coverage": 0.9},
        "metrics": {"val": test, "test": test},
        "provenance": {"created": "2026-02-01T10:00:00+00:00", "manifest": {"source": "A set"}},
    }
    return ModelInfo.model_validate(facts | changes)


def findings(modality, probabilities, positive):
    return [
        {
            "label": label.code,
            "name": label.name,
            "probability": probabilities[label.code],
            "threshold": 0.4,
            "positive": label.code in positive,
        }
        for label in modality.labels
    ]


def explanation(modality_id="chest-xray", *, positive=("PNEUMONIA",), beside=None, **changes):
    """An accepted answer; keyword arguments replace members of the prediction."""
    modality = get_modality(modality_id, MODALITIES)
    rest = 0.1 / max(1, len(modality.codes) - 1)
    label = positive[0] if positive else modality.codes[0]
    probabilities = {code: 0.9 if code == label else rest for code in modality.codes}
    prediction = {
        "prediction_id": "22f2187cf4324cfa8b1b091fdefbf41c",
        "request_id": "r-1",
        "modality": modality_id,
        "outcome": "accepted",
        "label": label,
        "probabilities": probabilities,
        "findings": findings(modality, probabilities, positive),
        "prediction_set": [label],
        "triage": {
            "band": "high",
            "next_step": "Have the child assessed.",
            "timeline": "same day",
            "source": "WHO 2014",
        },
        "model": {"name": f"{modality_id}-b0", "version": "v3", "sha256": SHA},
        "input": {
            "sha256": "cd" * 32,
            "media_type": "image/jpeg",
            "width": 1230,
            "height": 936,
            "mode": "L",
            "bits": 8,
        },
        "notice": modality.notice,
    }
    evidence = {"kind": "withheld", "withheld_reason": "The map failed: insertion."}
    return Explanation.model_validate(
        {"prediction": prediction | changes} | (evidence if beside is None else beside)
    )


def rejected(modality_id="chest-xray", **changes):
    """A rejected input of another kind."""
    reason = {
        "code": "wrong_modality",
        "message": "This is no chest film.",
        "looks_like": "skin-lesion",
        "route": "/v1/skin-lesion/predictions",
    }
    nothing = {
        "outcome": "rejected",
        "label": None,
        "probabilities": {},
        "findings": [],
        "prediction_set": [],
        "triage": None,
        "reasons": [reason],
    }
    return explanation(modality_id, positive=(), **(nothing | changes))


def mapped(modality_id="chest-xray", **changes):
    """An answer with its influence map."""
    overlay = base64.b64encode(png(24, 24)).decode()
    beside = {"kind": "influence_map", "target": "PNEUMONIA", "overlay_png_base64": overlay}
    return explanation(modality_id, beside=beside, **changes)


def page_of(found, *, reference=None, picture=None, **changes):
    """The page of an explanation; further keyword arguments replace what the service says."""
    modality = get_modality(found.prediction.modality, MODALITIES)
    shown = Picture(picture or png(), "image/png") if modality.is_image else None
    case = Case(modality, found, shown, info(modality, **changes))
    return compose(case, titles=TITLES, reference=reference, made=MADE)
