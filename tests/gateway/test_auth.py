"""API keys: stored as digests, scoped, expiring, revoked, and closed by default."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text

from contracts.errors import Forbidden, Unauthorized, Unavailable
from gateway.auth import REFRESH_SECONDS, Authenticator, presented_key, require
from gateway.caller import LOCAL_CALLER, USUAL_SCOPES, Scope
from gateway.database import Database, sqlite_url
from gateway.keys import KeyStore
from gateway.tables import API_KEYS


class Time:
    """A wall clock and a monotonic clock that the test moves."""

    def __init__(self):
        self.wall = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.monotonic = 100.0

    def now(self):
        return self.wall

    def clock(self):
        return self.monotonic

    def refresh(self):
        self.monotonic += REFRESH_SECONDS


@pytest.fixture
def moment():
    return Time()


@pytest.fixture
def keys(database, moment):
    return KeyStore(database, moment.now)


@pytest.fixture
def door(keys, moment):
    return Authenticator(keys, open_without_keys=False, now=moment.now, clock=moment.clock)


async def test_a_made_key_names_its_caller_with_its_scopes_and_limit(keys, door):
    made = await keys.make("ward 3", frozenset({Scope.PREDICT}), requests_per_minute=30)

    caller = await door.identify(made.clear)

    assert caller.id == made.stored.id
    assert caller.scopes == {Scope.PREDICT}
    assert caller.requests_per_minute == 30


async def test_the_store_holds_no_key_in_clear(keys, database):
    made = await keys.make("ward 3", USUAL_SCOPES)
    secret = made.clear.split("_", 2)[2]

    async with database.reading() as connection:
        row = (await connection.execute(select(API_KEYS))).one()

    assert secret not in " ".join(str(value) for value in row)
    assert len(secret) >= 43


async def test_a_secret_is_compared_in_constant_time_even_when_its_id_is_unknown(
    keys, door, monkeypatch
):
    made = await keys.make("ward 3", USUAL_SCOPES)
    await door.identify(made.clear)
    compared = []

    def compare(given, expected):
        compared.append((len(given), len(expected)))
        return False

    monkeypatch.setattr("gateway.auth.hmac.compare_digest", compare)
    for clear in (made.clear, "mf_nobody_secret", "no key"):
        with pytest.raises(Unauthorized):
            await door.identify(clear)

    assert compared == [(64, 64)] * 3


@pytest.mark.parametrize("change", [lambda c: c[:-1], lambda c: c + "x", lambda c: c[:-1] + "é"])
async def test_a_key_that_is_not_exactly_right_is_refused(keys, door, change):
    made = await keys.make("ward 3", USUAL_SCOPES)

    with pytest.raises(Unauthorized):
        await door.identify(change(made.clear))


@pytest.mark.parametrize("presented", ["", "mf", "mf_", "mf__", "mf_abc_def", "x_y_z", "\ud800"])
async def test_something_else_is_refused(keys, door, presented):
    await keys.make("ward 3", USUAL_SCOPES)

    with pytest.raises(Unauthorized):
        await door.identify(presented)


async def test_a_revoked_key_stops_working_within_the_refresh_time(keys, door, moment):
    made = await keys.make("ward 3", USUAL_SCOPES)
    await door.identify(made.clear)

    assert await keys.revoke(made.stored.id)
    assert not await keys.revoke(made.stored.id)
    moment.refresh()

    with pytest.raises(Unauthorized):
        await door.identify(made.clear)


async def test_F10_a_key_expires_by_the_wall_clock_also_when_that_jumps(keys, door, moment):
    made = await keys.make("ward 3", USUAL_SCOPES, valid_days=1)
    await door.identify(made.clear)

    moment.wall -= timedelta(hours=1)
    await door.identify(made.clear)

    moment.wall += timedelta(days=1, hours=2)
    with pytest.raises(Unauthorized):
        await door.identify(made.clear)


async def test_a_gateway_beyond_loopback_is_closed_without_keys(door):
    with pytest.raises(Unauthorized):
        await door.identify(None)


async def test_an_open_gateway_closes_with_the_first_key_and_stays_closed(keys, moment):
    door = Authenticator(keys, open_without_keys=True, now=moment.now, clock=moment.clock)
    assert await door.identify(None) == LOCAL_CALLER

    made = await keys.make("ward 3", USUAL_SCOPES)
    moment.refresh()
    with pytest.raises(Unauthorized):
        await door.identify(None)

    await keys.revoke(made.stored.id)
    moment.refresh()
    with pytest.raises(Unauthorized):
        await door.identify(None)


async def test_a_wrong_key_is_refused_even_where_none_is_needed(keys, moment):
    door = Authenticator(keys, open_without_keys=True, now=moment.now, clock=moment.clock)

    with pytest.raises(Unauthorized):
        await door.identify("mf_abc_def")


async def test_F11_keys_that_cannot_be_read_are_a_503_and_work_again_later(tmp_path, moment):
    database = Database(sqlite_url(tmp_path))
    keys = KeyStore(database, moment.now)
    door = Authenticator(keys, open_without_keys=True, now=moment.now, clock=moment.clock)
    with pytest.raises(Unavailable):
        await door.identify(None)

    await database.migrate()

    assert await door.identify(None) == LOCAL_CALLER
    await database.close()


async def test_a_scope_of_a_later_version_allows_nothing(keys, door, database):
    made = await keys.make("ward 3", frozenset({Scope.PREDICT}))
    async with database.writing() as connection:
        await connection.execute(text("UPDATE api_keys SET scopes = 'predict teleport'"))

    caller = await door.identify(made.clear)

    assert caller.scopes == {Scope.PREDICT}
    require(caller, Scope.PREDICT)
    with pytest.raises(Forbidden, match="receipts"):
        require(caller, Scope.RECEIPTS)


async def test_a_key_without_scopes_is_not_made(keys):
    with pytest.raises(ValueError, match="nothing"):
        await keys.make("ward 3", frozenset())


async def test_keys_are_listed_in_the_order_they_were_made(keys, moment):
    for name in ("first", "second"):
        await keys.make(name, USUAL_SCOPES)
        moment.wall += timedelta(seconds=1)

    assert [key.name for key in await keys.list()] == ["first", "second"]


def test_a_key_is_taken_from_either_header_but_only_once():
    assert presented_key([], []) is None
    assert presented_key(["Bearer mf_a_b"], []) == "mf_a_b"
    assert presented_key(["bearer mf_a_b"], []) == "mf_a_b"
    assert presented_key([], ["mf_a_b"]) == "mf_a_b"


@pytest.mark.parametrize(
    ("authorization", "x_api_key"),
    [(["Basic abc"], []), (["Bearer a"], ["b"]), (["Bearer a", "Bearer b"], []), ([], ["a", "b"])],
)
def test_another_scheme_or_several_keys_are_refused(authorization, x_api_key):
    with pytest.raises(Unauthorized):
        presented_key(authorization, x_api_key)
