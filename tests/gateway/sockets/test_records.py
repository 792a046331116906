"""What a client was answered, the audit holds: through kills of the gateway, and again by key."""

import asyncio
import json
import threading
import urllib.error
import urllib.request
import uuid

from sqlalchemy import select
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.database import Database, sqlite_url
from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.sockets.conftest import Gateway

KILLS = 2
CLIENTS = 4


def ask(port, headers=None, payload=JPEG_BYTES):
    """Return the answered prediction; raise OSError when there was no answer."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/chest-xray/predictions",
        data=payload,
        headers={"Content-Type": "image/jpeg"} | (headers or {}),
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.loads(response.read())


def ask_until_it_dies(port, answered):
    """Keep asking, each time under a new key; keep what was answered."""
    while True:
        key = uuid.uuid4().hex
        try:
            answered[key] = ask(port, {"Idempotency-Key": key})
        except urllib.error.HTTPError:
            continue
        except OSError:
            return


def records(folder):
    async def work():
        database = Database(sqlite_url(folder / "data"))
        async with database.reading() as connection:
            rows = (await connection.execute(select(AUDIT_RECORDS.c.prediction_id))).all()
        await database.close()
        return [row.prediction_id for row in rows]

    return asyncio.run(work())


def run(folder, *arguments):
    environment = {"GATEWAY_DATA_DIR": str(folder / "data")}
    return CliRunner().invoke(app, [str(word) for word in arguments], env=environment)


def test_F7_after_a_kill_every_answer_has_one_record_and_its_key_gives_it_again(
    tmp_path, faulty, healthy
):
    faulty.mode = "well"
    answered = {}
    for _ in range(KILLS):
        gateway = Gateway(tmp_path, [faulty, healthy])
        before = len(answered)
        clients = [
            threading.Thread(target=ask_until_it_dies, args=(gateway.port, answered))
            for _ in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        while len(answered) < before + 10:
            clients[0].join(0.05)
        gateway.process.kill()
        gateway.process.wait()
        for client in clients:
            client.join()

        verdict = run(tmp_path, "audit", "verify")
        assert verdict.exit_code == 0, verdict.output

    gateway = Gateway(tmp_path, [faulty, healthy])
    again = {key: ask(gateway.port, {"Idempotency-Key": key}) for key in list(answered)[-3:]}
    gateway.stop()

    stored = records(tmp_path)
    counts = [stored.count(answer["prediction_id"]) for answer in answered.values()]
    assert counts == [1] * len(answered)
    assert again == {key: answered[key] for key in again}


def test_a_receipt_is_verified_against_its_file_and_the_running_gateway(tmp_path, gateway, faulty):
    prediction = ask(gateway.port)
    base = f"http://127.0.0.1:{gateway.port}"
    paths = {
        "receipt": f"{base}/v1/predictions/{prediction['prediction_id']}/receipt",
        "key": f"{base}/v1/receipts/key",
    }
    for name, url in paths.items():
        with urllib.request.urlopen(url, timeout=30) as response:
            (tmp_path / name).write_bytes(response.read())
    (tmp_path / "film.jpg").write_bytes(JPEG_BYTES)
    command = ["receipts", "verify", tmp_path / "receipt", "--key", tmp_path / "key"]

    same = run(tmp_path, *command, "--file", tmp_path / "film.jpg", "--url", base)
    faulty.mode = "garbage"
    broken = run(tmp_path, *command, "--file", tmp_path / "film.jpg", "--url", base)
    without = run(tmp_path, *command, "--url", base)

    assert same.exit_code == 0, same.output
    assert "the same answer again" in same.stdout
    assert broken.exit_code == without.exit_code == 1
    assert "gave no answer" in broken.stderr
