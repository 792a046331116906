"""Real stores for the gateway's tests: a SQLite file, and a private PostgreSQL where installed."""

import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

import asyncpg
import psutil
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.anchors import ANCHOR_FILE, AnchorFile
from gateway.archive import AuditArchive
from gateway.audit import AuditStore
from gateway.database import Database, sqlite_url
from gateway.entry import AuditEntry
from gateway.keyring import Keyring


@pytest.fixture
def keyring():
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return Keyring(key, b"a pepper for tests that is long enough")


@pytest.fixture
async def sqlite(tmp_path):
    """A migrated SQLite database file."""
    database = Database(sqlite_url(tmp_path))
    await database.migrate()
    yield database
    await database.close()


def postgres_tools():
    """Return the newest folder with initdb and pg_ctl, or None."""
    folders = [Path(found).parent] if (found := shutil.which("pg_ctl")) else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: p.parent.name)
    usable = [folder for folder in folders if (folder / "initdb").exists()]
    return usable[-1] if usable else None


class PostgresServer:
    """A private PostgreSQL in a temporary folder, reached through a Unix socket only."""

    def __init__(self, tools: Path, folder: Path):
        self.tools, self.folder = tools, folder
        self.account = "nobody" if os.geteuid() == 0 else None
        if self.account:
            shutil.chown(folder, self.account)
        self._run("initdb", "-D", f"{folder}/data", "-A", "trust", "-U", "mediflow", "--no-sync")
        self.start()

    def _run(self, tool, *arguments):
        subprocess.run(
            [self.tools / tool, *arguments],
            check=True,
            user=self.account,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            timeout=120,
        )

    def start(self):
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=40 -c fsync=off"
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-o", options, "start")

    def stop(self):
        self._run("pg_ctl", "-D", f"{self.folder}/data", "-w", "-m", "immediate", "stop")

    @property
    def pids(self):
        """The postmaster and its children."""
        first = int((self.folder / "data/postmaster.pid").read_text().splitlines()[0])
        master = psutil.Process(first)
        return [first, *(child.pid for child in master.children())]

    def url(self, name):
        return f"postgresql+asyncpg://mediflow@/{name}?host={self.folder}"

    async def create(self, name):
        connection = await asyncpg.connect(
            host=str(self.folder), user="mediflow", database="postgres"
        )
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()
        return self.url(name)


@pytest.fixture(scope="session")
def postgres_server():
    tools = postgres_tools()
    if tools is None:
        pytest.skip("no PostgreSQL server is installed")
    # A short path: the name of a Unix socket holds about 100 characters.
    folder = Path(tempfile.mkdtemp(prefix="mfpg-"))
    server = PostgresServer(tools, folder)
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture
async def postgres(postgres_server):
    """A migrated, empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex}"
    database = Database(
        await postgres_server.create(name), lock_timeout_seconds=10, patience_seconds=20
    )
    await database.migrate()
    yield database
    await database.close()


@pytest.fixture
async def hasty_postgres(postgres):
    """The same database, with the waits of production."""
    database = Database(postgres.engine.url.render_as_string(hide_password=False))
    yield database
    await database.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    """Each test runs on both stores."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def anchors(tmp_path):
    return AnchorFile(tmp_path / ANCHOR_FILE)


@pytest.fixture
def archive(database, anchors):
    return AuditArchive(database, anchors)


@pytest.fixture
async def store(database, keyring, anchors):
    async with AuditStore(database, keyring, anchors) as store:
        yield store


@pytest.fixture
def entry():
    """Make an entry; keyword arguments replace members."""

    def make(number=1, **changes):
        facts = {
            "request_id": f"r-{number}",
            "caller": "k1",
            "route": "/v1/{modality}/predictions",
            "status": 200,
            "modality": "chest-xray",
            "prediction_id": f"p-{number}",
        }
        return AuditEntry(**(facts | changes))

    return make
