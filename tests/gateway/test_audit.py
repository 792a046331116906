"""The audit store: one record each, in order, durable before the answer, closed when it fails."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, event, func, select, text, update

from contracts.errors import AuditUnavailable
from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.archive import AuditArchive, Query
from gateway.audit import AuditStore
from gateway.database import Database, sqlite_url
from gateway.tables import AUDIT_HEAD, AUDIT_RECORDS


async def stored(database):
    async with database.reading() as connection:
        return (await connection.execute(select(AUDIT_RECORDS).order_by(AUDIT_RECORDS.c.seq))).all()


async def test_a_record_is_in_the_store_when_record_returns(store, database, entry):
    record = await store.record(entry(1, outcome="accepted"))

    (row,) = await stored(database)
    assert (row.seq, row.hash) == (1, record.hash)
    assert json.loads(row.body)["entry"]["outcome"] == "accepted"


async def test_requests_at_the_same_time_share_commits_and_keep_one_sequence(
    store, database, archive, keyring, entry
):
    commits = []
    event.listen(database.writing_engine, "commit", lambda _connection: commits.append(1))

    records = await asyncio.gather(*(store.record(entry(n)) for n in range(60)))

    assert sorted(record.seq for record in records) == list(range(1, 61))
    assert len(commits) < 30
    assert {record.request_id: record.seq for record in records} == {
        row.request_id: row.seq for row in await stored(database)
    }
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


async def test_two_gateways_on_one_database_make_one_unbroken_chain(
    store, database, anchors, archive, keyring, entry
):
    async def keep_asking(own, first):
        answered = 0
        while answered < 40:
            try:
                await own.record(entry(first + answered))
            except AuditUnavailable:
                continue
            answered += 1

    async with AuditStore(database, keyring, anchors) as other:
        await asyncio.gather(keep_asking(store, 0), keep_asking(other, 1000))

    verdict = await archive.verify([keyring.signing_key.public_key()])
    assert verdict.holds
    assert verdict.records >= 80


async def test_a_cancelled_request_still_leaves_its_record(store, database, entry):
    request = asyncio.create_task(store.record(entry(1)))
    await asyncio.sleep(0)
    request.cancel()
    await store.record(entry(2))

    assert [row.request_id for row in await stored(database)] == ["r-1", "r-2"]


async def test_an_entry_that_cannot_be_hashed_fails_alone(store, entry):
    with pytest.raises(ValueError, match="JSON"):
        await store.record(entry(1, answer={"p": float("nan")}))

    assert (await store.record(entry(2))).seq == 1


async def test_closing_writes_what_waits_and_sets_an_anchor(database, keyring, anchors, entry):
    async with AuditStore(database, keyring, anchors) as store:
        waiting = [asyncio.create_task(store.record(entry(n))) for n in range(5)]
        await asyncio.sleep(0)

    assert [(await task).seq for task in waiting] == [1, 2, 3, 4, 5]
    assert anchors.read()[-1].seq == 5
    with pytest.raises(AuditUnavailable):
        await store.record(entry(6))


async def test_F9_a_locked_store_refuses_within_a_quarter_second_and_recovers(
    sqlite, keyring, anchors, entry
):
    async with AuditStore(sqlite, keyring, anchors) as store:
        await store.record(entry(1))
        async with sqlite.writing():
            started = time.monotonic()
            with pytest.raises(AuditUnavailable) as refusal:
                await store.record(entry(2))
            waited = time.monotonic() - started
        assert not store.available

        assert (await store.record(entry(3))).seq == 2
        assert store.available
    assert waited < 1
    assert (refusal.value.status, refusal.value.code) == (503, "audit_unavailable")
    assert [row.request_id for row in await stored(sqlite)] == ["r-1", "r-3"]


def stuck(database, monkeypatch):
    """Let no write end, not even by being given up, before the event that is returned."""
    write, free = database.write, asyncio.Event()

    async def wait(work):
        if free.is_set():
            return await write(work)
        with contextlib.suppress(asyncio.CancelledError):
            await free.wait()
        await free.wait()
        raise TimeoutError

    monkeypatch.setattr(database, "write", wait)
    monkeypatch.setattr(database, "patience_seconds", 0.05)
    return free


async def test_F9_a_store_that_cannot_even_be_given_up_is_not_waited_for(
    sqlite, keyring, anchors, entry, monkeypatch
):
    free = stuck(sqlite, monkeypatch)
    async with AuditStore(sqlite, keyring, anchors) as store:
        try:
            with pytest.raises(AuditUnavailable):
                async with asyncio.timeout(5):
                    await store.record(entry(1))
        finally:
            free.set()


async def test_F9_a_request_that_was_refused_meanwhile_is_not_recorded_later(
    sqlite, keyring, anchors, entry, monkeypatch
):
    free = stuck(sqlite, monkeypatch)
    async with AuditStore(sqlite, keyring, anchors) as store:
        refused = [asyncio.create_task(store.record(entry(1)))]
        await asyncio.sleep(0.01)
        refused += [asyncio.create_task(store.record(entry(2)))]
        errors = await asyncio.gather(*refused, return_exceptions=True)
        free.set()
        store._wait_seconds = 5  # from here on the machine may be slow
        await store.record(entry(3))

    assert [type(error) for error in errors] == [AuditUnavailable] * 2
    assert [row.request_id for row in await stored(sqlite)] == ["r-3"]


async def test_F9_a_full_store_refuses_and_works_again_when_there_is_room(
    tmp_path, sqlite, keyring, anchors, entry
):
    async with sqlite.writing() as connection:
        pages = await connection.scalar(text("PRAGMA page_count"))
    room = {"pages": pages + 2}

    def limit(connection, *_):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA max_page_count={room['pages']}")
        cursor.close()

    event.listen(sqlite.writing_engine, "checkout", limit)
    async with AuditStore(sqlite, keyring, anchors) as store:
        with pytest.raises(AuditUnavailable):
            for number in range(200):
                await store.record(entry(number))
        kept = len(await stored(sqlite))
        room["pages"] = 100_000

        assert await store.probe()
        assert (await store.record(entry(500))).seq == kept + 1
    archive = AuditArchive(sqlite, anchors)
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


async def test_F9_a_store_that_is_back_is_noticed_without_a_request(
    tmp_path, keyring, anchors, entry
):
    database = Database(sqlite_url(tmp_path))
    async with AuditStore(database, keyring, anchors) as store:
        with pytest.raises(AuditUnavailable):
            await store.record(entry(1))
        assert not store.available

        await database.migrate()

        assert await becomes_available(store)
    await database.close()


async def becomes_available(store):
    """Wait as a load balancer would: by looking."""
    for _ in range(300):
        if store.available:
            return True
        await asyncio.sleep(0.1)
    return False


async def test_F10_the_order_of_records_does_not_depend_on_the_clock(
    database, keyring, anchors, archive, entry
):
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    times = iter([noon, noon - timedelta(hours=1), noon + timedelta(days=1), noon] * 4)
    async with AuditStore(database, keyring, anchors, now=lambda: next(times, noon)) as store:
        for number in range(4):
            await store.record(entry(number))

    assert [row.request_id for row in await stored(database)] == ["r-0", "r-1", "r-2", "r-3"]
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


@pytest.mark.postgres
async def test_F11_a_stopped_postgresql_refuses_within_a_quarter_second_and_recovers(
    postgres, hasty_postgres, postgres_server, keyring, anchors, entry
):
    async with AuditStore(hasty_postgres, keyring, anchors) as store:
        assert await eventually_recorded(store, entry(1))
        pids = postgres_server.pids
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            with pytest.raises(AuditUnavailable):
                await store.record(entry(2))
            waited = time.monotonic() - started
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

        assert waited < 1
        assert await eventually_recorded(store, entry(3))
    archive = AuditArchive(postgres, anchors)
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


@pytest.mark.postgres
async def test_F11_a_restarted_postgresql_is_used_again(
    postgres, hasty_postgres, postgres_server, keyring, anchors, entry
):
    async with AuditStore(hasty_postgres, keyring, anchors) as store:
        assert await eventually_recorded(store, entry(1))
        postgres_server.stop()
        with pytest.raises(AuditUnavailable):
            await store.record(entry(2))
        postgres_server.start()

        assert await eventually_recorded(store, entry(3))
    assert [row.request_id for row in await stored(postgres)] == ["r-1", "r-3"]


async def eventually_recorded(store, entry, seconds=10):
    """Ask as a patient client would."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            return await store.record(entry)
        except AuditUnavailable:
            await asyncio.sleep(0.1)
    return None


async def test_F11_a_store_that_is_absent_at_the_start_refuses_every_request(
    tmp_path, keyring, anchors, entry
):
    database = Database(sqlite_url(tmp_path))
    async with AuditStore(database, keyring, anchors) as store:
        with pytest.raises(AuditUnavailable):
            await store.record(entry(1))

        assert not await store.probe()
    await database.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from contracts.errors import AuditUnavailable
from gateway.anchors import AnchorFile
from gateway.audit import AuditStore
from gateway.database import Database, sqlite_url
from gateway.entry import AuditEntry
from gateway.keyring import Keyring

folder, prefix = Path(sys.argv[1]), sys.argv[2]
keyring = Keyring(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), b"p" * 32)

async def ask(store, client):
    for number in range(100_000):
        request = f"{prefix}-{client}-{number}"
        try:
            await store.record(AuditEntry(request, "k", "/r", 200, prediction_id=request))
        except AuditUnavailable:
            print("refused", request, flush=True)
            await asyncio.sleep(0.05)
        else:
            print("answered", request, flush=True)

async def main():
    database = Database(sqlite_url(folder))
    async with AuditStore(database, keyring, AnchorFile(folder / "anchors")) as store:
        print("started", flush=True)
        await asyncio.gather(*(ask(store, client) for client in range(8)))

asyncio.run(main())
"""


def writer_process(folder, prefix, *, prepare=""):
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(prepare) + WRITER, str(folder), prefix],
        stdout=subprocess.PIPE,
        text=True,
    )


def read_lines(process, count):
    return [process.stdout.readline().split() for _ in range(count)]


async def test_F7_every_answer_before_a_kill_has_exactly_one_record(
    tmp_path, sqlite, keyring, anchors
):
    answered = []
    for life in range(3):
        with writer_process(tmp_path, f"life{life}") as process:
            answered += read_lines(process, 60)
            process.kill()
            # The kill may cut the last line; only a whole one is an answer.
            answered += [line.split() for line in process.stdout if line.endswith("\n")]

        archive = AuditArchive(sqlite, AnchorFile(tmp_path / "anchors"))
        assert (await archive.verify([keyring.signing_key.public_key()])).holds

    requests = [words[1] for words in answered if words[0] == "answered"]
    recorded = [row.request_id for row in await stored(sqlite)]
    assert len(requests) >= 3 * 50
    assert [request for request in requests if recorded.count(request) != 1] == []


async def test_F9_a_write_error_of_the_file_system_refuses_and_nothing_answered_is_lost(
    tmp_path, sqlite, keyring
):
    size = (tmp_path / "mediflow.db").stat().st_size
    prepare = f"""
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, ({size + 200_000}, resource.RLIM_INFINITY))
    """
    with writer_process(tmp_path, "full", prepare=prepare) as process:
        lines = []
        while not lines or lines[-1][0] != "refused":
            lines += read_lines(process, 1)
        process.kill()

    recorded = {row.request_id for row in await stored(sqlite)}
    answered = {words[1] for words in lines if words[0] == "answered"}
    assert answered
    assert answered <= recorded
    archive = AuditArchive(sqlite, AnchorFile(tmp_path / "anchors"))
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


async def test_verify_finds_what_an_attacker_with_sql_does(
    store, database, archive, keyring, entry
):
    keys = [keyring.signing_key.public_key()]
    for number in range(6):
        await store.record(entry(number))
    assert (await archive.verify(keys)).last_seq == 6

    async with database.writing() as connection:
        await connection.execute(
            update(AUDIT_RECORDS).where(AUDIT_RECORDS.c.seq == 2).values(caller="somebody")
        )
    assert {fault.code for fault in (await archive.verify(keys)).faults} == {"columns"}
    async with database.writing() as connection:
        await connection.execute(delete(AUDIT_RECORDS).where(AUDIT_RECORDS.c.seq == 2))
    assert "gap" in {fault.code for fault in (await archive.verify(keys)).faults}


async def test_verify_finds_an_emptied_audit_by_its_anchors(
    database, keyring, anchors, archive, entry
):
    async with AuditStore(database, keyring, anchors) as store:
        await store.record(entry(1))
    async with database.writing() as connection:
        await connection.execute(delete(AUDIT_RECORDS))
        await connection.execute(
            update(AUDIT_HEAD).values(seq=0, hash="0" * 64, time="", signature="")
        )

    verdict = await archive.verify([keyring.signing_key.public_key()])

    assert [fault.code for fault in verdict.faults] == ["truncated"]


async def test_pruning_keeps_the_rest_verifiable_and_growing(
    database, keyring, anchors, archive, entry
):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    days = iter([start + timedelta(days=number // 2) for number in range(1000)])
    async with AuditStore(database, keyring, anchors, now=lambda: next(days)) as store:
        for number in range(10):
            await store.record(entry(number))
        kept_from = (await stored(database))[4].time
        pruned = await archive.prune(
            kept_from, now="2026-11-20T00:00:00.000000Z", key=keyring.signing_key
        )
        await store.record(entry(11))

    verdict = await archive.verify([keyring.signing_key.public_key()])
    assert (pruned, verdict.records, verdict.last_seq) == (4, 7, 11)
    assert verdict.holds
    async with database.reading() as connection:
        assert await connection.scalar(select(func.min(AUDIT_RECORDS.c.seq))) == 5


async def test_pruning_everything_leaves_an_empty_chain_that_verifies(
    store, database, keyring, archive, entry
):
    await store.record(entry(1))
    await archive.prune("9999", now="2026-11-20T00:00:00.000000Z", key=keyring.signing_key)
    nothing = await archive.prune(
        "9999", now="2026-11-21T00:00:00.000000Z", key=keyring.signing_key
    )

    verdict = await archive.verify([keyring.signing_key.public_key()])
    assert (nothing, verdict.records, verdict.holds) == (0, 0, True)
    assert (await store.record(entry(2))).seq == 2
    assert (await archive.verify([keyring.signing_key.public_key()])).holds


async def test_records_are_found_by_caller_time_request_and_prediction(store, archive, entry):
    for number in range(3):
        await store.record(entry(number, caller=f"k{number}"))

    async def found(**wanted):
        return [record.request_id async for record in archive.search(Query(**wanted))]

    assert await found() == ["r-0", "r-1", "r-2"]
    assert await found(caller="k1") == ["r-1"]
    assert await found(request_id="r-2") == ["r-2"]
    assert await found(since="9999") == await found(until="2000") == []
    assert (await archive.find_prediction("p-1")).seq == 2
    assert await archive.find_prediction("p-9") is None


async def test_a_long_chain_is_read_page_by_page(store, archive, keyring, entry):
    await asyncio.gather(*(store.record(entry(number)) for number in range(1100)))

    verdict = await archive.verify([keyring.signing_key.public_key()])

    assert (verdict.records, verdict.holds) == (1100, True)
    assert verdict.anchors >= 1


async def test_an_anchor_that_cannot_be_written_is_logged_and_refuses_nobody(
    sqlite, keyring, tmp_path, entry, caplog
):
    blocked = AnchorFile(tmp_path / "mediflow.db" / ANCHOR_FILE)
    with caplog.at_level(logging.ERROR):
        async with AuditStore(sqlite, keyring, blocked) as store:
            assert (await store.record(entry(1))).seq == 1

    assert "audit anchor cannot be written" in caplog.text
