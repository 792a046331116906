"""The administration commands, run as an operator would, on a real database."""

import asyncio
import hashlib
import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from contracts.receipts import key_id_of
from gateway.__main__ import app
from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.archive import AuditArchive
from gateway.audit import AuditStore
from gateway.database import Database, sqlite_url
from gateway.entry import AuditEntry
from gateway.keyring import load_keyring
from gateway.receipts import ReceiptOffice

ANSWER = {
    "reasons": [],
    "label": "NORMAL",
    "probabilities": {"NORMAL": 0.75, "PNEUMONIA": 0.25},
    "thresholds": {"PNEUMONIA": 0.4},
    "prediction_set": ["NORMAL"],
    "derived": {},
    "options": {},
    "preprocessing_id": None,
    "calibration_id": None,
    "software": "MediFlow 0.1.0",
}
PAYLOAD = b"the bytes of a film"


@pytest.fixture
def mediflow(tmp_path):
    """Run one command; return its exit code, output and error output."""

    def run(*arguments):
        environment = {"GATEWAY_DATA_DIR": str(tmp_path), "GATEWAY_HOST": "127.0.0.1"}
        return CliRunner().invoke(app, [str(word) for word in arguments], env=environment)

    return run


def fill(folder, count=3):
    """Let a gateway's store record some predictions; return the first one's signed receipt."""

    async def work():
        keyring = load_keyring(folder, may_create=True)
        database = Database(sqlite_url(folder))
        await database.migrate()
        anchors = AnchorFile(folder / ANCHOR_FILE)
        async with AuditStore(database, keyring, anchors) as store:
            for number in range(count):
                await store.record(
                    AuditEntry(
                        request_id=f"r-{number}",
                        caller="local",
                        route="POST /v1/{modality}/predictions",
                        status=200,
                        modality="chest-xray",
                        outcome="accepted",
                        prediction_id=f"{number:032x}",
                        model_name="m",
                        model_version="v1",
                        model_sha256="a" * 64,
                        input_sha256=hashlib.sha256(PAYLOAD).hexdigest(),
                        input_media_type="image/png",
                        answer=ANSWER,
                    )
                )
        office = ReceiptOffice(AuditArchive(database, anchors), keyring)
        signed, key = await office.issue(f"{0:032x}", "local"), office.key()
        await database.close()
        return signed, key

    return asyncio.run(work())


def change(folder, statement):
    """Do what somebody with the database file could do."""

    async def work():
        database = Database(sqlite_url(folder))
        async with database.writing() as connection:
            await connection.execute(text(statement))
        await database.close()

    asyncio.run(work())


def test_a_key_is_made_shown_once_listed_and_revoked(mediflow):
    made = mediflow("keys", "make", "--name", "ward 3", "--scope", "predict", "--days", 30)
    clear = made.stdout.strip()
    key_id = clear.split("_")[1]

    listed = mediflow("keys", "list").stdout
    assert made.exit_code == 0
    assert listed.split("\t")[:3] == [key_id, "active", "predict"]
    assert clear.split("_", 2)[2] not in listed

    assert mediflow("keys", "revoke", key_id).exit_code == 0
    assert "revoked" in mediflow("keys", "list").stdout
    assert mediflow("keys", "revoke", key_id).exit_code == 1


def test_secrets_are_made_once(mediflow, tmp_path):
    first = mediflow("secrets", "make")
    again = mediflow("secrets", "make")

    key = load_keyring(tmp_path, may_create=False).signing_key.public_key()
    assert first.stdout == again.stdout == f"signing key {key_id_of(key)}\n"


def test_verify_tells_a_sound_audit_from_a_changed_one(mediflow, tmp_path):
    fill(tmp_path)
    sound = mediflow("audit", "verify")
    change(tmp_path, "UPDATE audit_records SET body = replace(body, 'accepted', 'rejected')")

    changed = mediflow("audit", "verify")

    assert sound.exit_code == 0
    assert "3 records up to 3" in sound.stdout
    assert "the chain holds" in sound.stdout
    assert changed.exit_code == 1
    assert "record 1: hash" in changed.stderr


def test_verify_finds_a_cut_tail_and_a_damaged_anchor_file(mediflow, tmp_path):
    fill(tmp_path)
    change(tmp_path, "DELETE FROM audit_records WHERE seq = 3")
    cut = mediflow("audit", "verify")
    (tmp_path / ANCHOR_FILE).write_text("{}\n")

    damaged = mediflow("audit", "verify")

    assert cut.exit_code == damaged.exit_code == 1
    assert "truncated" in cut.stderr
    assert "line 1 of the anchor file is damaged" in damaged.stderr


def test_records_are_queried_and_exported_as_json_lines(mediflow, tmp_path):
    fill(tmp_path)
    queried = mediflow("audit", "query", "--request-id", "r-1")
    nothing = mediflow("audit", "query", "--until", "2001-01-01")
    out = tmp_path / "export.jsonl"

    exported = mediflow("audit", "export", "--out", out)

    assert json.loads(queried.stdout)["prediction_id"] == f"{1:032x}"
    assert nothing.stdout == ""
    assert exported.stdout == "3 records\n"
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3]
    assert json.loads(lines[0]["body"])["entry"]["request_id"] == "r-0"


def test_pruning_is_recorded_and_what_remains_verifies(mediflow, tmp_path):
    fill(tmp_path)
    change(
        tmp_path,
        "INSERT INTO feedback (prediction_id, time, caller, agree)"
        f" VALUES ('{0:032x}', '2026-01-01T00:00:00.000000Z', 'local', TRUE)",
    )

    pruned = mediflow("audit", "prune", "--before", "2001-01-01")
    all_of_it = mediflow("audit", "prune", "--before", "2999-01-01")

    assert pruned.stdout == "0 records and 0 opinions pruned\n"
    assert all_of_it.stdout == "5 records and 1 opinions pruned\n"
    assert "0 records up to 5" in mediflow("audit", "verify").stdout


def test_feedback_is_exported_to_a_new_file_only(mediflow, tmp_path):
    fill(tmp_path)
    out = tmp_path / "feedback.csv"

    first = mediflow("feedback", "export", "--out", out, "--all")
    again = mediflow("feedback", "export", "--out", out)

    assert first.stdout == "3 rows\n"
    assert len(out.read_text().splitlines()) == 4
    assert again.exit_code != 0


@pytest.fixture
def receipt(tmp_path):
    """A receipt, its key and its input as files."""
    signed, key = fill(tmp_path / "data")
    paths = [tmp_path / name for name in ("receipt.json", "key.json", "film.png")]
    paths[0].write_text(signed.model_dump_json())
    paths[1].write_text(key.model_dump_json())
    paths[2].write_bytes(PAYLOAD)
    return paths


def test_a_receipt_and_its_file_hold(mediflow, receipt):
    path, key, film = receipt

    result = mediflow("receipts", "verify", path, "--key", key, "--file", film)

    assert result.exit_code == 0
    assert "signature holds" in result.stdout
    assert "input is the one" in result.stdout


def test_one_changed_number_or_another_file_does_not_hold(mediflow, receipt):
    path, key, film = receipt
    film.write_bytes(PAYLOAD + b"!")
    other_file = mediflow("receipts", "verify", path, "--key", key, "--file", film)
    path.write_text(path.read_text().replace("0.75", "0.76"))

    changed = mediflow("receipts", "verify", path, "--key", key)

    assert other_file.exit_code == changed.exit_code == 1
    assert "SHA-256 differs" in other_file.stderr
    assert "signature does not belong" in changed.stderr


@pytest.mark.parametrize("content", ["", "[]", "no json", "[" * 100_000])
def test_what_is_no_receipt_is_said_so(mediflow, receipt, content):
    path, key, _ = receipt
    path.write_text(content)

    result = mediflow("receipts", "verify", path, "--key", key)

    assert result.exit_code == 1
    assert "does not hold" in result.stderr


def test_wrong_settings_are_named_without_their_value(tmp_path):
    environment = {"GATEWAY_PORT": "not-a-port-canary", "GATEWAY_DATA_DIR": str(tmp_path)}

    result = CliRunner().invoke(app, ["keys", "list"], env=environment)

    assert result.exit_code == 78
    assert "GATEWAY_PORT" in result.stderr
    assert "canary" not in result.output


def test_a_database_that_cannot_be_used_is_one_line(tmp_path):
    environment = {
        "GATEWAY_DATABASE_URL": f"postgresql+asyncpg://user:canary@/none?host={tmp_path}",
        "GATEWAY_DATA_DIR": str(tmp_path),
    }

    result = CliRunner().invoke(app, ["keys", "list"], env=environment)

    assert result.exit_code == 74
    assert "database cannot be used" in result.stderr
    assert "canary" not in result.output
