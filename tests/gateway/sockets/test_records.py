"""What a client was answered, the audit holds: through kills of the gateway, and again by key."""

import asyncio
import http.client
import json
import threading
import urllib.error
import urllib.request
import uuid
from collections import Counter

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from gateway.__main__ import app
from gateway.database import Database, sqlite_url
from gateway.tables import AUDIT_RECORDS
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.sockets.conftest import Gateway
from tests.soak.figures import keep

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
        except (OSError, http.client.HTTPException):  # the kill came before or within the answer
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


def kill_again_and_again(folder, upstreams, kills):
    """Kill a gateway under load so often; return its answers by key, and each chain's verdict."""
    answered, verdicts = {}, []
    for _ in range(kills):
        gateway = Gateway(folder, upstreams)
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
        verdicts.append(run(folder, "audit", "verify"))
    return answered, verdicts


def survives(folder, upstreams, kills):
    """Check that every answer has one record and is given again by its key; return figures."""
    answered, verdicts = kill_again_and_again(folder, upstreams, kills)
    gateway = Gateway(folder, upstreams)
    again = {key: ask(gateway.port, {"Idempotency-Key": key}) for key in list(answered)[-3:]}
    gateway.stop()

    stored = Counter(records(folder))
    counts = Counter(stored[answer["prediction_id"]] for answer in answered.values())
    assert [verdict.output for verdict in verdicts if verdict.exit_code != 0] == []
    assert counts.keys() == {1}
    assert again == {key: answered[key] for key in again}
    return {"kills": kills, "answers": len(answered), "records": stored.total()}


def test_F7_after_a_kill_every_answer_has_one_record_and_its_key_gives_it_again(
    tmp_path, faulty, healthy
):
    faulty.mode = "well"

    survives(tmp_path, [faulty, healthy], KILLS)


@pytest.mark.soak
def test_F7_figure_7_fifty_kills_lose_and_double_nothing(tmp_path, faulty, healthy):
    faulty.mode = "well"

    keep("gateway-kills", survives(tmp_path, [faulty, healthy], 50))


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
