"""Receipt of one prediction: what is signed by the gateway is what anyone can verify.

A receipt is plain JSON. Signed is its canonical form: UTF-8, sorted names, no white space, numbers
as Python's `repr` writes them, no NaN. The signature covers every member, known to this version or
not, so it is checked on the JSON as received and only then read into `Receipt`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Literal

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import ValidationError

from contracts.schemas import Message, Outcome, Prediction, Probability

#: Largest difference of a probability between a receipt and the same file asked again. Another
#: batch position, thread count or backend may move the last digits of a float32 network.
PROBABILITY_TOLERANCE = 1e-3
#: Prefix of the signed bytes, so that no other signature of the same key can pass for a receipt.
DOMAIN = b"mediflow receipt 1\n"


class BadReceipt(Exception):
    """The receipt is not what the gateway signed, or does not belong to the file at hand."""


class ReceiptModel(Message):
    """The model file that answered, and the parts of it that decide numbers."""

    name: str
    version: str
    sha256: str
    preprocessing_id: str | None = None
    """Digest of the preprocessing numbers in the model file."""
    calibration_id: str | None = None
    """Digest of temperature, thresholds and conformal quantiles in the model file."""


class AuditPosition(Message):
    """Where the audit record stands in the hash chain."""

    sequence: int
    hash: str


class Receipt(Message):
    """What was asked of which model, and what it answered; never the input itself."""

    format: Literal[1] = 1
    prediction_id: str
    request_id: str
    time: str
    """UTC, ISO 8601, of the audit record."""
    modality: str
    route: str
    input_sha256: str
    input_media_type: str
    options: dict[str, float | bool]
    """Query options that change the answer, such as `prevalence`, as chosen."""
    model: ReceiptModel
    software: str
    """Name and version of the gateway that answered."""
    outcome: Outcome
    reasons: list[str]
    """Reason codes."""
    label: str | None
    probabilities: dict[str, Probability]
    thresholds: dict[str, Probability]
    prediction_set: list[str]
    derived: dict[str, Probability]
    audit: AuditPosition


class SignedReceipt(Message):
    """Answer of `GET /v1/predictions/{prediction_id}/receipt`."""

    receipt: Receipt
    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    """First 16 hexadecimal digits of the SHA-256 of the raw public key."""
    signature: str
    """Base64 of the signature over the canonical JSON of `receipt`."""


class ReceiptKey(Message):
    """Answer of `GET /v1/receipts/key`."""

    algorithm: Literal["Ed25519"] = "Ed25519"
    key_id: str
    public_key_pem: str


def canonical_json(value: object) -> bytes:
    """Return the one byte form of a JSON value; raise ValueError for NaN or infinity."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def key_id_of(key: Ed25519PublicKey) -> str:
    """Return the short name of a public key."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def public_pem(key: Ed25519PublicKey) -> str:
    """Return the public key as PEM text."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def load_public_key(pem: str) -> Ed25519PublicKey:
    """Return the Ed25519 key of a PEM text; raise BadReceipt for anything else."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadReceipt("the key is no PEM public key") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadReceipt("the key is no Ed25519 key")
    return key


def sign_receipt(receipt: Receipt, key: Ed25519PrivateKey) -> SignedReceipt:
    """Sign the canonical JSON of a receipt."""
    payload = DOMAIN + canonical_json(receipt.model_dump(mode="json"))
    return SignedReceipt(
        receipt=receipt,
        key_id=key_id_of(key.public_key()),
        signature=base64.b64encode(key.sign(payload)).decode(),
    )


def verify_receipt(document: Mapping[str, object], key: Ed25519PublicKey) -> Receipt:
    """Return the receipt of a signed document as received; raise BadReceipt unless all holds."""
    plain, signature = document.get("receipt"), document.get("signature")
    if not isinstance(plain, dict) or not isinstance(signature, str):
        raise BadReceipt("the document holds no receipt and signature")
    if document.get("algorithm") != "Ed25519" or document.get("key_id") != key_id_of(key):
        raise BadReceipt("the receipt names another key or algorithm")
    try:
        key.verify(base64.b64decode(signature, validate=True), DOMAIN + canonical_json(plain))
        return Receipt.model_validate(plain)
    except (InvalidSignature, binascii.Error, ValueError, RecursionError) as error:
        if isinstance(error, ValidationError):
            raise BadReceipt("the signed receipt has another format") from error
        raise BadReceipt("the signature does not belong to this receipt") from error


def check_input(receipt: Receipt, payload: bytes) -> None:
    """Raise BadReceipt when these bytes are not the ones that were answered."""
    if hashlib.sha256(payload).hexdigest() != receipt.input_sha256:
        raise BadReceipt("the file is not the one that was answered: its SHA-256 differs")


def differences(
    receipt: Receipt, prediction: Prediction, *, tolerance: float = PROBABILITY_TOLERANCE
) -> list[str]:
    """Say, fact by fact, where a repeated prediction departs from the receipt; empty if nowhere."""
    facts: list[tuple[str, object, object]] = [
        ("model sha256", receipt.model.sha256, prediction.model.sha256),
        ("input sha256", receipt.input_sha256, prediction.input.sha256),
        ("outcome", receipt.outcome, prediction.outcome),
        ("label", receipt.label, prediction.label),
        ("reasons", receipt.reasons, [reason.code for reason in prediction.reasons]),
        ("prediction set", receipt.prediction_set, prediction.prediction_set),
        ("labels", sorted(receipt.probabilities), sorted(prediction.probabilities)),
    ]
    found = [f"{name}: {was} on the receipt, {now} now" for name, was, now in facts if was != now]
    for label, was in receipt.probabilities.items():
        now = prediction.probabilities.get(label, was)
        if abs(was - now) > tolerance:
            found.append(f"probability of {label}: {was:.6f} on the receipt, {now:.6f} now")
    return found
