"""Receipts: what the audit knows of one prediction, signed for the key that asked for it.

Made anew from the audit record at each request, so nothing else is stored, and the same prediction
always has the same receipt.
"""

from __future__ import annotations

import json

from contracts.errors import NotFound
from contracts.receipts import (
    AuditPosition,
    Receipt,
    ReceiptKey,
    ReceiptModel,
    SignedReceipt,
    key_id_of,
    public_pem,
    sign_receipt,
)
from contracts.schemas import Prediction
from gateway.archive import AuditArchive
from gateway.chain import ChainRecord
from gateway.keyring import Keyring


def facts_of(
    prediction: Prediction, options: dict[str, float | bool], software: str
) -> dict[str, object]:
    """Return what an audit record keeps of an answer; codes and numbers, never text."""
    return {
        "reasons": [reason.code for reason in prediction.reasons],
        "label": prediction.label,
        "probabilities": dict(prediction.probabilities),
        "thresholds": {finding.label: finding.threshold for finding in prediction.findings},
        "prediction_set": list(prediction.prediction_set),
        "derived": dict(prediction.derived),
        "options": dict(options),
        "preprocessing_id": prediction.model.preprocessing_id,
        "calibration_id": prediction.model.calibration_id,
        "software": software,
    }


class ReceiptOffice:
    """Issues receipts from the audit of one gateway."""

    def __init__(self, archive: AuditArchive, keyring: Keyring) -> None:
        """Owns neither of the two."""
        self._archive = archive
        self._keyring = keyring

    async def issue(self, prediction_id: str, caller: str) -> SignedReceipt:
        """Return the signed receipt; NotFound (404) also when another key asked for it."""
        record = await self._archive.find_prediction(prediction_id)
        if record is None or record.caller != caller:
            raise NotFound("There is no such prediction of this key.", code="unknown_prediction")
        return sign_receipt(to_receipt(record), self._keyring.signing_key)

    def key(self) -> ReceiptKey:
        """Return the public key that verifies receipts and audit positions."""
        public = self._keyring.signing_key.public_key()
        return ReceiptKey(key_id=key_id_of(public), public_key_pem=public_pem(public))


def to_receipt(record: ChainRecord) -> Receipt:
    """Read the receipt out of an audit record of a prediction."""
    entry = json.loads(record.body)["entry"]
    answer = entry["answer"]
    return Receipt(
        prediction_id=entry["prediction_id"],
        request_id=entry["request_id"],
        time=entry["time"],
        modality=entry["modality"],
        route=entry["route"],
        input_sha256=entry["input_sha256"],
        input_media_type=entry["input_media_type"],
        options=answer["options"],
        model=ReceiptModel(
            name=entry["model_name"],
            version=entry["model_version"],
            sha256=entry["model_sha256"],
            preprocessing_id=answer["preprocessing_id"],
            calibration_id=answer["calibration_id"],
        ),
        software=answer["software"],
        outcome=entry["outcome"],
        reasons=answer["reasons"],
        label=answer["label"],
        probabilities=answer["probabilities"],
        thresholds=answer["thresholds"],
        prediction_set=answer["prediction_set"],
        derived=answer["derived"],
        audit=AuditPosition(sequence=record.seq, hash=record.hash),
    )
