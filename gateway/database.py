"""One asynchronous engine for the gateway's tables: SQLite by default, PostgreSQL by URL.

SQLite runs with WAL and `synchronous=FULL`: a committed record survives a power cut. Its writers
take the lock at BEGIN, so that a busy file shows at once and not in the middle. Waiting for a
lock, a connection or one statement is bounded; what a failed store means is decided above.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

#: Wait for a locked store at most this long.
LOCK_TIMEOUT_SECONDS = 0.2
LOCAL_PATIENCE_SECONDS = 5.0
NETWORK_PATIENCE_SECONDS = 0.25
#: Any fixed number; gateways that start together migrate one after the other.
MIGRATION_LOCK = 7_340_251
MIGRATION_LOCK_SECONDS = 30.0
#: What a driver raises when the store cannot be reached or does not answer in time.
STORE_ERRORS = (SQLAlchemyError, OSError, TimeoutError)

Result = TypeVar("Result")


class Database:
    """Connections to one database; open them with `reading` and `writing`."""

    def __init__(
        self,
        url: str,
        *,
        lock_timeout_seconds: float = LOCK_TIMEOUT_SECONDS,
        patience_seconds: float | None = None,
        pool_size: int = 4,
    ) -> None:
        """Connect lazily: nothing is opened before the first use. `url` may hold a password.

        `patience_seconds` bounds what a request waits for the store in all: by default .25 s for
        one behind a network, and 5 s for a local file, where only the wait for a lock is short: a
        slow disk or a busy machine that still writes is no reason to refuse.
        """
        self._url = make_url(url)
        self.is_sqlite = self._url.get_backend_name() == "sqlite"
        self.patience_seconds = patience_seconds or (
            LOCAL_PATIENCE_SECONDS if self.is_sqlite else NETWORK_PATIENCE_SECONDS
        )
        self.engine = self._build(self._url, lock_timeout_seconds, pool_size)
        self.writing_engine = self.engine.sync_engine
        self._writer: ThreadPoolExecutor | None = None
        self._kept: Connection | None = None
        if self.is_sqlite and self._has_file:
            self.writing_engine = _sqlite_writer(self._url, lock_timeout_seconds)
            self._writer = ThreadPoolExecutor(1, "database")

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection whose reads all see one state of the database."""
        engine = self.engine
        if not self.is_sqlite:
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        async with engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a transaction that may write; commit at the end."""
        async with self.engine.execution_options(writes=True).begin() as connection:
            yield connection

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a transaction that may write, and commit.

        With an SQLite file all of it happens in one go in a thread; through the asynchronous
        driver each of a dozen small steps would change threads twice. A transaction that has
        begun there goes on when the caller is cancelled.
        """
        if self._writer is None:
            async with self.writing() as connection:
                return await connection.run_sync(work)
        return await asyncio.get_running_loop().run_in_executor(
            self._writer, self._write_at_once, work
        )

    async def migrate(self) -> None:
        """Bring the schema to the newest version; several gateways may do so at once."""
        if self.is_sqlite and self._has_file:
            Path(str(self._url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = self._build(self._url, MIGRATION_LOCK_SECONDS, 1)
        try:
            async with engine.execution_options(writes=True).begin() as connection:
                if not self.is_sqlite:
                    await connection.execute(
                        text("SELECT pg_advisory_xact_lock(:number)"), {"number": MIGRATION_LOCK}
                    )
                await connection.run_sync(_upgrade)
        finally:
            await engine.dispose()

    async def close(self) -> None:
        """Close every pooled connection."""
        if self._writer is not None:
            self._writer.shutdown(wait=False, cancel_futures=True)
            if self._kept is not None:
                self._kept.close()
            self.writing_engine.dispose()
        await self.engine.dispose()

    @property
    def _has_file(self) -> bool:
        return self._url.database not in (None, "", ":memory:")

    def _write_at_once(self, work: Callable[[Connection], Result]) -> Result:
        """Run one transaction; its connection is kept unless it failed. In the writer's thread."""
        connection, self._kept = self._kept or self.writing_engine.connect(), None
        try:
            with connection.begin():
                result = work(connection)
        except BaseException:
            connection.close()
            raise
        self._kept = connection
        return result

    @staticmethod
    def _build(url: URL, timeout_seconds: float, pool_size: int) -> AsyncEngine:
        """Create the engine with bounded waits and, for SQLite, its pragmas."""
        sqlite = url.get_backend_name() == "sqlite"
        options: dict[str, Any] = (
            {"timeout": timeout_seconds}
            if sqlite
            else {
                "timeout": timeout_seconds,
                "command_timeout": timeout_seconds,
                "server_settings": {"application_name": "mediflow-gateway"},
            }
        )
        engine = create_async_engine(
            url,
            connect_args=options,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=timeout_seconds,
        )
        if sqlite:
            _listen(engine.sync_engine)
        return engine


def sqlite_url(folder: Path) -> str:
    """Return the default database URL of a data folder."""
    return f"sqlite+aiosqlite:///{folder.resolve() / 'mediflow.db'}"


def _sqlite_writer(url: URL, lock_timeout_seconds: float) -> Engine:
    """Return an engine of one connection whose transactions take the write lock at once."""
    engine = create_engine(
        url.set(drivername="sqlite"),
        connect_args={"timeout": lock_timeout_seconds},
        pool_size=1,
        max_overflow=0,
        execution_options={"writes": True},
    )
    _listen(engine)
    return engine


def _listen(engine: Engine) -> None:
    """Prepare each new connection to SQLite, and begin its transactions our way."""
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - DBAPI object
    """Durable commits, readers beside one writer, and BEGIN left to us."""
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once where the transaction is going to write."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _upgrade(connection: Connection) -> None:
    """Run the Alembic versions on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
