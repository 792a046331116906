"""Answers of the six services, decided and placed by the very rules that serve."""

import hashlib
import math
import re
from pathlib import Path

import httpx2

from contracts.findings import judge
from contracts.modality import DecisionRule
from contracts.registry import get_modality
from contracts.triage import triage
from tests.gateway.fakes import FakeServices, model_info

FOLDER = Path(__file__).parent
DOCUMENT = FOLDER.parents[1] / "docs" / "compatibility.md"

COLD = {"common_cold": 0.9, "pneumonia": 0.04, "typhoid": 0.03}
USUAL = {
    "chest-xray": {"NORMAL": 0.96, "PNEUMONIA": 0.04},
    "skin-lesion": {
        "nv": 0.89, "bkl": 0.06, "df": 0.02, "mel": 0.01,
        "bcc": 0.01, "akiec": 0.005, "vasc": 0.005,
    },
    "breast-ultrasound": {"normal": 0.11, "benign": 0.85, "malignant": 0.04},
    "ecg": {"NORM": 0.92, "MI": 0.03, "STTC": 0.04, "CD": 0.03, "HYP": 0.02},
    "symptoms": COLD,
    "heart-risk": {"no_disease": 0.48, "disease": 0.52},
}  # fmt: skip


def answer(payload, modality_id, shares=None, **changes):
    """The JSON of an answer with these probabilities; keyword arguments replace members."""
    modality = get_modality(modality_id)
    given = dict(shares or USUAL[modality_id])
    rest = [code for code in modality.codes if code not in given]
    share = max(0.0, 1 - sum(given.values())) / max(1, len(rest))
    given |= dict.fromkeys(rest, share)
    judgement = judge(_logits(given, modality), _rule(modality), modality)
    placed = triage(judgement, modality)
    members = {
        "request_id": "r",
        "modality": modality_id,
        "outcome": judgement.outcome.value,
        "reasons": [reason.model_dump() for reason in judgement.reasons],
        "label": judgement.label,
        "probabilities": judgement.probabilities,
        "findings": [finding.model_dump() for finding in judgement.findings],
        "prediction_set": list(judgement.prediction_set),
        "derived": judgement.derived,
        "triage": placed and placed.model_dump(),
        "model": {"name": f"{modality_id}-efficientnet_b0", "version": "v1", "sha256": "0" * 64},
        "input": {
            "sha256": hashlib.sha256(payload).hexdigest(),
            "media_type": "image/jpeg",
            "width": 1024,
            "height": 768,
        },
        "timing_ms": {"decode": 1.0},
        "notice": modality.notice,
    }
    return members | changes


def rejected(payload, modality_id, **reason):
    """The JSON of a rejected answer with one reason."""
    scores = {"probabilities": {}, "findings": [], "prediction_set": [], "derived": {}}
    return answer(
        payload,
        modality_id,
        outcome="rejected",
        label=None,
        reasons=[{"code": "wrong_modality", "message": "Another kind of picture."} | reason],
        **scores,
    )


class Services(FakeServices):
    """Six services that accept; `say` and `describe` change what one of them answers."""

    def __init__(self):
        super().__init__()
        self.reset()

    def reset(self):
        """Forget what was asked and said."""
        self.requests.clear()
        self.answers.clear()
        for modality_id in USUAL:
            self.say(modality_id)
        self.say("symptoms", symptoms_recognised=["high_fever", "cough", "headache", "fatigue"])
        self.describe("chest-xray")

    def say(self, modality_id, shares=None, **changes):
        self.reply(modality_id, lambda body: answer(body, modality_id, shares, **changes))

    def reject(self, modality_id, **reason):
        self.reply(modality_id, lambda body: rejected(body, modality_id, **reason))

    def reply(self, modality_id, make):
        self.answers[modality_id, "/predict"] = lambda request: httpx2.Response(
            200, json=make(request.content)
        )

    def describe(self, modality_id, **changes):
        facts = {"parameters": 4_010_110, "input_size": [3, 224, 224], "metrics": METRICS}
        self.answers[modality_id, "/model"] = httpx2.Response(
            200, json=model_info(modality_id) | facts | changes
        )


#: As the training package writes them.
METRICS = {
    "test": {
        "n": 624,
        "all": {
            "accuracy": {"value": 0.9391, "low": 0.92, "high": 0.957},
            "auroc": {"value": 0.983, "low": 0.974, "high": 0.991},
            "mcc": {"value": None, "low": None, "high": None},
        },
    }
}


def documented():
    """The DEV ids that the document has a row for."""
    return set(re.findall(r"^\| (DEV-[A-Z0-9-]+) \|", DOCUMENT.read_text(), re.MULTILINE))


def _logits(given, modality):
    """Logits that give these probabilities under a neutral rule."""
    logs = [math.log(given[code]) for code in modality.codes]
    if modality.activation == "softmax":
        return logs
    return [value - math.log1p(-math.exp(value)) for value in logs]


def _rule(modality):
    """A neutral rule."""
    size = len(modality.codes)
    return DecisionRule(
        activation=modality.activation,
        temperature=(1.0,) * (size if modality.activation == "sigmoid" else 1),
        bias=(0.0,) * size,
        shift=(0.0,) * size,
        thresholds=(0.5,) * size,
        set_minimum=(0.05,) * size,
        max_set_size=size,
    )
