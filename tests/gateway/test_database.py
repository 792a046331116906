"""The database: migrations, durability settings and bounded waits, on both stores."""

import asyncio
import time

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from gateway.database import Database, sqlite_url
from gateway.tables import API_KEYS, AUDIT_HEAD, METADATA

KEY = {"id": "k", "digest": "d", "name": "n", "scopes": "predict", "created": "2026"}


async def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    def compare(connection):
        return compare_metadata(MigrationContext.configure(connection), METADATA)

    async with database.reading() as connection:
        differences = await connection.run_sync(compare)

    assert differences == []


async def test_migrating_twice_and_at_the_same_time_changes_nothing(database):
    await asyncio.gather(database.migrate(), database.migrate())

    async with database.reading() as connection:
        heads = (await connection.execute(select(AUDIT_HEAD))).all()

    assert len(heads) == 1


async def test_two_gateways_that_start_on_an_empty_file_both_start(tmp_path):
    databases = [Database(sqlite_url(tmp_path)) for _ in range(2)]

    await asyncio.gather(*(database.migrate() for database in databases))

    for database in databases:
        async with database.reading() as connection:
            assert (await connection.execute(select(AUDIT_HEAD))).one().seq == 0
        await database.close()


async def test_sqlite_is_durable_and_lets_readers_work_beside_a_writer(sqlite):
    async with sqlite.reading() as connection:
        journal = await connection.scalar(text("PRAGMA journal_mode"))
        synchronous = await connection.scalar(text("PRAGMA synchronous"))

    assert (journal, synchronous) == ("wal", 2)


async def test_a_failed_transaction_leaves_nothing_behind(database):
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as connection:
            await connection.execute(insert(API_KEYS), KEY)
            raise ZeroDivisionError

    async with database.reading() as connection:
        assert (await connection.execute(select(API_KEYS))).all() == []


async def test_one_connection_writes_until_a_transaction_fails(sqlite):
    opened, given_back = [], []
    event.listen(sqlite.writing_engine, "checkout", lambda *_: opened.append(1))
    event.listen(sqlite.writing_engine, "checkin", lambda *_: given_back.append(1))

    def fail(connection):
        connection.execute(insert(API_KEYS), KEY)
        raise ZeroDivisionError

    for _ in range(3):
        await sqlite.write(lambda connection: connection.execute(select(AUDIT_HEAD)))
    assert (len(opened), len(given_back)) == (1, 0)
    with pytest.raises(ZeroDivisionError):
        await sqlite.write(fail)
    assert (len(opened), len(given_back)) == (1, 1)
    await sqlite.write(lambda connection: connection.execute(insert(API_KEYS), KEY))
    await sqlite.close()

    assert (len(opened), len(given_back)) == (2, 2)


async def test_a_reader_sees_one_state_while_another_writes(database):
    async with database.reading() as reader:
        before = (await reader.execute(select(API_KEYS))).all()
        async with database.writing() as writer:
            await writer.execute(insert(API_KEYS), KEY)
        after = (await reader.execute(select(API_KEYS))).all()

    assert before == after == []


async def test_F9_a_locked_sqlite_file_is_refused_within_a_quarter_second(sqlite):
    async with sqlite.writing():
        started = time.monotonic()
        with pytest.raises(OperationalError, match="locked"):
            async with sqlite.writing():
                pass

    assert 0.1 < time.monotonic() - started < 1


async def test_F11_an_absent_postgresql_is_refused_and_not_waited_for(tmp_path):
    database = Database(f"postgresql+asyncpg://nobody@/none?host={tmp_path}")
    started = time.monotonic()

    with pytest.raises((OSError, SQLAlchemyError)):
        async with database.reading():
            pass

    assert time.monotonic() - started < 1
    await database.close()
