"""Functions under the names, arguments and keys of two earlier projects, over the models of today.

Where those projects always answered, these raise InvalidInput when there is no single answer, with
the code `abstained` or `rejected`.
"""

from __future__ import annotations

from pathlib import Path

from contracts.errors import InvalidInput
from contracts.schemas import Outcome, Prediction
from vision_service.library import analyze

#: The sentence that callers of `analyze_xray` know.
DISCLAIMER = "AI-assisted preliminary reading. Clinical correlation required."
_RISK = {"low": "LOW", "moderate": "MODERATE", "high": "HIGH", "urgent": "HIGH"}


def analyze_xray(image_bytes: bytes) -> dict[str, str | float]:
    """Return `prediction` (NORMAL, PNEUMONIA), `confidence` from 0 to 1, and `disclaimer`."""
    label, chance, _ = _accepted(analyze(image_bytes, "chest-xray"))
    return {"prediction": label, "confidence": round(chance, 4), "disclaimer": DISCLAIMER}


def predict_skin_cancer(model_path: str | Path, image_path: str | Path) -> dict[str, str | float]:
    """Return `predicted_class`, `predicted_name`, `confidence` from 0 to 1, and `risk_level`.

    The level (LOW, MODERATE, HIGH) is the band of the reviewed table of next steps.
    """
    payload = Path(image_path).read_bytes()
    label, chance, prediction = _accepted(analyze(payload, "skin-lesion", Path(model_path)))
    names = {finding.label: finding.name for finding in prediction.findings}
    assert prediction.triage is not None  # An accepted answer has its row in the table.
    return {
        "predicted_class": label,
        "predicted_name": names[label],
        "confidence": round(chance, 4),
        "risk_level": _RISK[prediction.triage.band],
    }


def _accepted(prediction: Prediction) -> tuple[str, float, Prediction]:
    """Return label, probability and answer; raise InvalidInput with the reasons otherwise."""
    if prediction.outcome is not Outcome.ACCEPTED or prediction.label is None:
        reasons = " ".join(reason.message for reason in prediction.reasons)
        raise InvalidInput(reasons, code=prediction.outcome.value)
    return prediction.label, prediction.probabilities[prediction.label], prediction
