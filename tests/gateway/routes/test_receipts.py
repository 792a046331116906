"""Receipts and feedback through the API: of one's own predictions only, signed, without names."""

import hashlib
import io
import json

import pytest
from sqlalchemy import select

from contracts.receipts import load_public_key, verify_receipt
from gateway.archive import AuditArchive
from gateway.caller import USUAL_SCOPES
from gateway.feedback import given_label, uncertainty_of
from gateway.keys import KeyStore
from gateway.tables import AUDIT_RECORDS, FEEDBACK
from tests.gateway.fakes import JPEG_BYTES, FakeServices, open_gateway, prediction

URL = "/v1/chest-xray/predictions"
JPEG = {"content-type": "image/jpeg"}
FINDINGS = [
    {"label": "PNEUMONIA", "name": "P", "probability": 0.9, "threshold": 0.4, "positive": True}
]


@pytest.fixture
def services():
    services = FakeServices()
    services.answers["/predict"] = lambda request: answer(prediction(request.content, **ANSWER))
    return services


def answer(body):
    import httpx2

    return httpx2.Response(200, json=body)


ANSWER = {
    "label": "PNEUMONIA",
    "probabilities": {"NORMAL": 0.1, "PNEUMONIA": 0.9},
    "findings": FINDINGS,
    "prediction_set": ["PNEUMONIA"],
    "model": {
        "name": "chest-xray-b0",
        "version": "v1",
        "sha256": "a" * 64,
        "preprocessing_id": "1234",
        "calibration_id": "5678",
    },
}


@pytest.fixture
async def client(tmp_path, services):
    async with open_gateway(tmp_path, services) as client:
        yield client


async def ask(client, headers=None, query=""):
    response = await client.post(URL + query, content=JPEG_BYTES, headers=JPEG | (headers or {}))
    assert response.status_code == 200
    return response.json()["prediction_id"]


async def entries(client):
    async with client.app.state.store.database.reading() as connection:
        rows = await connection.execute(select(AUDIT_RECORDS.c.body).order_by(AUDIT_RECORDS.c.seq))
        return [json.loads(row.body)["entry"] for row in rows]


async def two_keys(client):
    store = KeyStore(client.app.state.store.database)
    made = [(await store.make(name, USUAL_SCOPES)).clear for name in ("a", "b")]
    client.app.state.store.authenticator._read_at = None  # do not wait for the refresh
    return [{"Authorization": f"Bearer {key}"} for key in made]


async def test_a_receipt_states_what_was_asked_and_answered_and_verifies(client):
    prediction_id = await ask(client, query="?prevalence=0.08")

    document = (await client.get(f"/v1/predictions/{prediction_id}/receipt")).json()
    key = (await client.get("/v1/receipts/key")).json()
    receipt = verify_receipt(document, load_public_key(key["public_key_pem"]))

    assert receipt.prediction_id == prediction_id
    assert receipt.input_sha256 == hashlib.sha256(JPEG_BYTES).hexdigest()
    assert receipt.model.model_dump() == ANSWER["model"]
    assert receipt.probabilities == {"NORMAL": 0.1, "PNEUMONIA": 0.9}
    assert receipt.thresholds == {"PNEUMONIA": 0.4}
    assert receipt.options == {"prevalence": 0.08}
    assert receipt.software.startswith("MediFlow ")
    assert receipt.audit.sequence == 1


async def test_a_receipt_is_the_same_whenever_it_is_fetched(client):
    url = f"/v1/predictions/{await ask(client)}/receipt"

    assert (await client.get(url)).json() == (await client.get(url)).json()
    assert [entry["refers_to"] for entry in await entries(client)][1:] == [url.split("/")[3]] * 2


async def test_receipts_and_feedback_of_another_key_are_404(client):
    mine, theirs = await two_keys(client)
    prediction_id = await ask(client, mine)
    receipt, feedback = (
        f"/v1/predictions/{prediction_id}/{what}" for what in ("receipt", "feedback")
    )

    assert (await client.get(receipt, headers=mine)).status_code == 200
    assert (await client.get(receipt, headers=theirs)).status_code == 404
    assert (await client.get(receipt)).status_code == 401
    sent = {"agree": True}
    assert (await client.post(feedback, json=sent, headers=theirs)).status_code == 404
    assert (await client.post(feedback, json=sent, headers=mine)).status_code == 201


@pytest.mark.parametrize("prediction_id", ["0" * 32, "nonsense", "%00", "A" * 32, "x" * 5000])
async def test_an_unknown_prediction_is_404_and_is_not_repeated(client, prediction_id):
    response = await client.get(f"/v1/predictions/{prediction_id}/receipt")

    assert response.status_code == 404
    assert prediction_id not in response.text
    assert (await entries(client))[-1]["refers_to"] is None


@pytest.mark.parametrize("prediction_id", ["nonsense", "%00", "A" * 32, "x" * 5000])
async def test_an_id_that_cannot_be_ours_is_looked_up_nowhere(client, prediction_id, monkeypatch):
    looked_up = []
    monkeypatch.setattr(AuditArchive, "find_prediction", lambda _, name: looked_up.append(name))

    response = await client.get(f"/v1/predictions/{prediction_id}/receipt")

    assert response.status_code == 404
    assert looked_up == []


async def test_feedback_is_stored_with_a_keyed_hash_of_the_reference(client):
    prediction_id = await ask(client)

    response = await client.post(
        f"/v1/predictions/{prediction_id}/feedback",
        json={
            "agree": False,
            "corrected_label": "NORMAL",
            "comment_code": "false_finding",
            "patient_reference": "MRN-77",
        },
    )

    assert response.status_code == 201
    assert response.json()["corrected_label"] == "NORMAL"
    assert "MRN-77" not in response.text
    store = client.app.state.store
    async with store.database.reading() as connection:
        row = (await connection.execute(select(FEEDBACK))).one()
    assert row.patient_hmac == store.keyring.pseudonym("MRN-77")
    assert (await entries(client))[-1]["refers_to"] == prediction_id


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "agree"),
        ({"agree": "yes"}, "agree"),
        ({"agree": True, "corrected_label": "NORMAL"}, "corrected_label"),
        ({"agree": False, "corrected_label": "cancer John Doe"}, "corrected_label"),
        ({"agree": False, "corrected_label": "NORMAL;PNEUMONIA"}, "corrected_label"),
        ({"agree": False, "comment_code": "John Doe"}, "comment_code"),
        ({"agree": False, "patient_reference": "John Doe"}, "patient_reference"),
        ({"agree": False, "patient_reference": "x" * 65}, "patient_reference"),
        ({"agree": False, "John Doe": 1}, None),
    ],
)
async def test_feedback_that_does_not_fit_is_422_without_a_word_of_it(client, body, field):
    prediction_id = await ask(client)

    response = await client.post(f"/v1/predictions/{prediction_id}/feedback", json=body)

    assert response.status_code == 422
    assert response.json().get("field") == field
    assert "Doe" not in response.text


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 422),
        (b'{"agree": NaN}', "application/json", 422),
        (b'{"agree": true}', "text/plain", 415),
        (b'{"agree": true}' + b" " * 5000, "application/json", 413),
    ],
)
async def test_a_body_that_is_no_feedback_is_refused(client, content, content_type, status):
    prediction_id = await ask(client)

    response = await client.post(
        f"/v1/predictions/{prediction_id}/feedback",
        content=content,
        headers={"content-type": content_type},
    )

    assert response.status_code == status


async def export(client, **options):
    stream = io.StringIO(newline="")
    await client.app.state.store.feedback.export(stream, **options)
    return [line.split(",") for line in stream.getvalue().splitlines()]


async def test_the_export_holds_the_latest_word_on_each_prediction(client):
    corrected, agreed, unnamed, silent = [await ask(client) for _ in range(4)]
    for prediction_id, body in (
        (corrected, {"agree": True}),
        (corrected, {"agree": False, "corrected_label": "NORMAL", "comment_code": "wrong_class"}),
        (agreed, {"agree": True}),
        (unnamed, {"agree": False, "comment_code": "artefact"}),
    ):
        await client.post(f"/v1/predictions/{prediction_id}/feedback", json=body)
    digest = hashlib.sha256(JPEG_BYTES).hexdigest()

    header, *rows = await export(client)

    assert header == [
        "input_sha256",
        "modality",
        "given_label",
        "corrected_label",
        "uncertainty",
        "comment_code",
    ]
    assert rows == [
        [digest, "chest-xray", "PNEUMONIA", "NORMAL", "0.100000", "wrong_class"],
        [digest, "chest-xray", "PNEUMONIA", "", "0.100000", ""],
        [digest, "chest-xray", "", "", "0.100000", "artefact"],
    ]
    assert len(await export(client, everything=True)) == 1 + 4
    assert silent


async def test_the_export_is_what_training_reads(client, tmp_path):
    from training.feedback_export import read_export

    prediction_id = await ask(client)
    url = f"/v1/predictions/{prediction_id}/feedback"
    await client.post(url, json={"agree": False, "corrected_label": "NORMAL"})
    path = tmp_path / "export.csv"
    with path.open("w", newline="") as stream:
        await client.app.state.store.feedback.export(stream)

    (case,) = read_export(path)

    assert case.is_corrected
    assert case.label == "NORMAL"


@pytest.mark.parametrize(
    ("entry", "label", "uncertainty"),
    [
        ({"outcome": "rejected", "answer": {"probabilities": {}, "label": None}}, "", 1.0),
        (
            {
                "outcome": "accepted",
                "answer": {
                    "label": None,
                    "probabilities": {"MI": 0.9, "CD": 0.6, "HYP": 0.1},
                    "thresholds": {"MI": 0.5, "CD": 0.5, "HYP": 0.5},
                },
            },
            "MI;CD",
            0.8,
        ),
        (
            {
                "outcome": "abstained",
                "answer": {"label": None, "probabilities": {"a": 0.5, "b": 0.5}},
            },
            "",
            0.5,
        ),
    ],
)
def test_label_and_uncertainty_of_answers_without_a_single_label(entry, label, uncertainty):
    assert given_label(entry) == label
    assert uncertainty_of(entry) == pytest.approx(uncertainty)
