"""One gateway in front of six services that accept, shared by all tests of this folder.

Each test finds the services reset and sees only its own audit entries. A test that changes the
gateway itself opens its own.
"""

import inspect
import json
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from gateway.tables import AUDIT_RECORDS
from tests.compat.answers import Services
from tests.gateway.fakes import open_gateway

FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items):
    """Run the tests of this folder on one event loop, that of the shared gateway."""
    for item in items:
        if FOLDER in item.path.parents and inspect.iscoroutinefunction(item.function):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared(tmp_path_factory):
    """A client and its services; no run of faults is long enough to open a breaker."""
    services = Services()
    folder = tmp_path_factory.mktemp("gateway")
    async with open_gateway(folder, services, breaker_failures=1000) as client:
        yield client, services


@pytest.fixture
def services(shared):
    _, services = shared
    services.reset()
    return services


@pytest.fixture
def client(shared, services):
    return shared[0]


@pytest_asyncio.fixture(loop_scope="session")
async def own(tmp_path):
    """A client of a gateway that this test may change."""
    async with open_gateway(tmp_path, Services()) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def entries(client):
    """A function that returns the audit entries of this test, oldest first."""
    database = client.app.state.store.database
    seq = AUDIT_RECORDS.c.seq
    async with database.reading() as connection:
        last = await connection.scalar(select(func.max(seq))) or 0

    async def read():
        query = select(AUDIT_RECORDS.c.body).where(seq > last).order_by(seq)
        async with database.reading() as connection:
            return [json.loads(row.body)["entry"] for row in await connection.execute(query)]

    return read
