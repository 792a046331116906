"""Receipts: what is signed is what is verified, and one changed byte is found (S7)."""

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from contracts.receipts import (
    AuditPosition,
    BadReceipt,
    Receipt,
    ReceiptModel,
    canonical_json,
    check_input,
    differences,
    key_id_of,
    load_public_key,
    public_pem,
    sign_receipt,
    verify_receipt,
)
from contracts.schemas import InputFacts, ModelRef, Outcome, Prediction

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PAYLOAD = b"the bytes of one film"
DIGEST = hashlib.sha256(PAYLOAD).hexdigest()


def a_receipt(**changes):
    return Receipt(
        **{
            "prediction_id": "p-1",
            "request_id": "r-1",
            "time": "2026-11-20T12:00:00.000000Z",
            "modality": "chest-xray",
            "route": "/v1/{modality}/predictions",
            "input_sha256": DIGEST,
            "input_media_type": "image/png",
            "options": {},
            "reasons": [],
            "derived": {},
            "model": ReceiptModel(name="chest-xray", version="v1", sha256="ab" * 32),
            "software": "mediflow 0.1.0",
            "outcome": Outcome.ACCEPTED,
            "label": "PNEUMONIA",
            "probabilities": {"NORMAL": 0.125, "PNEUMONIA": 0.875},
            "thresholds": {"PNEUMONIA": 0.4},
            "prediction_set": ["PNEUMONIA"],
            "audit": AuditPosition(sequence=7, hash="cd" * 32),
        }
        | changes
    )


def a_prediction(**changes):
    return Prediction(
        **{
            "request_id": "r-2",
            "modality": "chest-xray",
            "outcome": Outcome.ACCEPTED,
            "label": "PNEUMONIA",
            "probabilities": {"NORMAL": 0.1251, "PNEUMONIA": 0.8749},
            "prediction_set": ["PNEUMONIA"],
            "model": ModelRef(name="chest-xray", version="v1", sha256="ab" * 32),
            "input": InputFacts(sha256=DIGEST, media_type="image/png"),
            "notice": "n",
        }
        | changes
    )


def as_received(receipt=None):
    signed = sign_receipt(receipt or a_receipt(), KEY)
    return json.loads(signed.model_dump_json())


def test_a_signed_receipt_verifies_after_its_way_through_json():
    receipt = verify_receipt(as_received(), KEY.public_key())

    assert receipt == a_receipt()


def test_the_public_key_travels_as_pem():
    pem = public_pem(KEY.public_key())

    assert verify_receipt(as_received(), load_public_key(pem)) == a_receipt()


@given(st.data())
def test_one_flipped_bit_anywhere_in_the_document_is_found(data):
    raw = bytearray(json.dumps(as_received()).encode())
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= 1 << data.draw(st.integers(0, 7))
    try:
        document = json.loads(raw.decode())
    except ValueError:
        return
    if document == as_received():
        return

    with pytest.raises(BadReceipt):
        verify_receipt(document, KEY.public_key())


def test_an_added_member_breaks_the_signature_even_if_this_version_would_ignore_it():
    document = as_received()
    document["receipt"]["approved_by"] = "somebody"

    with pytest.raises(BadReceipt, match="signature"):
        verify_receipt(document, KEY.public_key())


def test_a_receipt_of_another_key_is_refused():
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))

    with pytest.raises(BadReceipt, match="another key"):
        verify_receipt(as_received(), other.public_key())


def test_a_signed_document_of_a_future_format_is_refused_with_its_own_reason():
    plain = a_receipt().model_dump(mode="json") | {"format": 2}
    signature = KEY.sign(b"mediflow receipt 1\n" + canonical_json(plain))
    document = as_received() | {
        "receipt": plain,
        "signature": base64.b64encode(signature).decode(),
    }

    with pytest.raises(BadReceipt, match="another format"):
        verify_receipt(document, KEY.public_key())


@pytest.mark.parametrize(
    "document",
    [{}, {"receipt": {}}, {"receipt": [], "signature": "x"}, as_received() | {"signature": "ü"}],
)
def test_a_document_without_its_parts_is_refused(document):
    with pytest.raises(BadReceipt):
        verify_receipt(document, KEY.public_key())


def test_a_signature_over_other_bytes_of_the_same_key_is_no_receipt():
    document = as_received()
    bare = KEY.sign(canonical_json(document["receipt"]))
    document["signature"] = base64.b64encode(bare).decode()

    with pytest.raises(BadReceipt, match="signature"):
        verify_receipt(document, KEY.public_key())


def test_only_an_ed25519_pem_is_a_receipt_key():
    curve = generate_private_key(SECP256R1()).public_key()
    pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    with pytest.raises(BadReceipt, match="no Ed25519"):
        load_public_key(pem)
    with pytest.raises(BadReceipt, match="no PEM"):
        load_public_key("no key at all")


def test_the_input_must_be_the_very_bytes_that_were_answered():
    check_input(a_receipt(), PAYLOAD)

    with pytest.raises(BadReceipt, match="SHA-256 differs"):
        check_input(a_receipt(), PAYLOAD + b"\0")


def test_a_repetition_within_the_tolerance_has_no_differences():
    assert differences(a_receipt(), a_prediction()) == []


def test_every_departing_fact_of_a_repetition_is_named():
    now = a_prediction(
        label="NORMAL",
        probabilities={"NORMAL": 0.9, "PNEUMONIA": 0.1},
        model=ModelRef(name="chest-xray", version="v2", sha256="ef" * 32),
    )

    found = differences(a_receipt(), now)

    assert [line.split(":")[0] for line in found] == [
        "model sha256",
        "label",
        "probability of NORMAL",
        "probability of PNEUMONIA",
    ]


def test_canonical_json_does_not_depend_on_the_order_of_names_and_refuses_nan():
    assert canonical_json({"b": 1, "a": [0.1, None]}) == b'{"a":[0.1,null],"b":1}'
    with pytest.raises(ValueError, match="JSON compliant"):
        canonical_json({"p": float("nan")})


def test_the_key_id_is_sixteen_hexadecimal_digits():
    assert len(bytes.fromhex(key_id_of(KEY.public_key()))) == 8
