"""Kept answers: one question per key, in the same transaction as the audit, never the input."""

import asyncio

import pytest
from sqlalchemy import select

from contracts.errors import Conflict, InvalidField, Unavailable
from gateway.database import Database, sqlite_url
from gateway.idempotency import (
    CLAIM_SECONDS,
    MAX_FORSAKEN,
    Claim,
    IdempotentAnswers,
    repeatable,
)
from gateway.tables import IDEMPOTENT_ANSWERS


class Clock:
    def __init__(self):
        self.now = 1_790_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def answers(database, clock):
    return IdempotentAnswers(database, keep_seconds=900, wait_seconds=0.15, clock=clock)


def a_question(**changes):
    facts = {"caller": "k1", "key": "abc", "route": "/r", "question": {"input": "00"}} | changes
    return repeatable(facts["caller"], facts["key"], facts["route"], facts["question"])


async def keep(database, claim, answer):
    async with database.writing() as connection:
        await connection.execute(claim.outcome(answer))


async def test_a_kept_answer_is_given_again(answers, database):
    claim = await answers.claim(a_question())
    await keep(database, claim, '{"a":1}')

    assert isinstance(claim, Claim)
    assert await answers.claim(a_question()) == '{"a":1}'


@pytest.mark.parametrize("change", [{"caller": "k2"}, {"key": "abd"}, {"route": "/other"}])
async def test_another_caller_key_or_route_is_another_question(answers, database, change):
    await keep(database, await answers.claim(a_question()), "{}")

    assert isinstance(await answers.claim(a_question(**change)), Claim)


async def test_the_same_key_with_another_input_is_409(answers, database):
    await keep(database, await answers.claim(a_question()), "{}")

    with pytest.raises(Conflict) as refusal:
        await answers.claim(a_question(question={"input": "11"}))

    assert refusal.value.code == "idempotency_mismatch"


async def test_a_second_request_waits_for_the_first(database, clock):
    answers = IdempotentAnswers(database, wait_seconds=30, clock=clock)
    claim = await answers.claim(a_question())
    second = asyncio.create_task(answers.claim(a_question()))
    await asyncio.sleep(0.15)
    assert not second.done()

    await keep(database, claim, "{}")

    assert await second == "{}"


async def test_a_second_request_is_409_when_the_first_takes_too_long(answers):
    await answers.claim(a_question())

    with pytest.raises(Conflict) as refusal:
        await answers.claim(a_question())

    assert (refusal.value.code, refusal.value.retry_after_seconds) == ("idempotency_in_progress", 1)


async def test_of_many_at_once_exactly_one_claims(database, clock):
    answers = IdempotentAnswers(database, wait_seconds=0, clock=clock)

    async def try_to():
        try:
            return await answers.claim(a_question())
        except (Conflict, Unavailable):
            return None

    results = await asyncio.gather(*(try_to() for _ in range(8)))

    assert sum(isinstance(result, Claim) for result in results) == 1


async def test_a_failed_request_gives_its_key_free(answers):
    claim = await answers.claim(a_question())
    await answers.release(claim)

    assert isinstance(await answers.claim(a_question(question={"input": "11"})), Claim)


async def test_F7_the_claim_of_a_process_that_died_ends_by_itself_and_at_the_next_start(
    answers, clock
):
    dead = await answers.claim(a_question())
    clock.now += CLAIM_SECONDS + 1
    second = await answers.claim(a_question())
    assert isinstance(second, Claim)
    assert second.token != dead.token

    await answers.forget_claims()
    assert isinstance(await answers.claim(a_question()), Claim)


async def test_F7_a_late_process_cannot_overwrite_the_answer_of_another(answers, database, clock):
    late = await answers.claim(a_question())
    clock.now += CLAIM_SECONDS + 1
    await keep(database, await answers.claim(a_question()), '"theirs"')

    await keep(database, late, '"late"')
    await answers.release(late)

    assert await answers.claim(a_question()) == '"theirs"'


async def test_an_answer_is_forgotten_after_its_time(answers, database, clock):
    await keep(database, await answers.claim(a_question()), "{}")
    clock.now += 899
    assert await answers.claim(a_question()) == "{}"

    clock.now += 2
    assert isinstance(await answers.claim(a_question()), Claim)


async def test_F7_an_answer_is_kept_together_with_its_record_or_not_at_all(
    store, answers, database, entry
):
    claim = await answers.claim(a_question())
    with pytest.raises(ValueError, match="JSON"):
        await store.record(entry(1, answer={"p": float("inf")}), also=(claim.outcome("{}"),))
    async with database.reading() as connection:
        assert await connection.scalar(select(IDEMPOTENT_ANSWERS.c.answer)) is None

    await store.record(entry(2), also=(claim.outcome("{}"),))

    assert await answers.claim(a_question()) == "{}"


async def test_neither_key_nor_question_is_stored_in_clear(answers, database):
    await answers.claim(a_question(key="MRN-12345-Doe", question={"input": "secret-canary"}))

    async with database.reading() as connection:
        row = " ".join(map(str, (await connection.execute(select(IDEMPOTENT_ANSWERS))).one()))

    assert "Doe" not in row
    assert "canary" not in row


@pytest.mark.parametrize("key", ["", "x" * 256, "tab\there", "ü", "nul\0"])
def test_a_key_that_is_none_is_422(key):
    with pytest.raises(InvalidField) as refusal:
        a_question(key=key)

    assert key not in refusal.value.detail or not key


async def test_F11_answers_that_cannot_be_read_are_503_and_releasing_never_raises(tmp_path, clock):
    database = Database(sqlite_url(tmp_path))
    answers = IdempotentAnswers(database, clock=clock)

    with pytest.raises(Unavailable):
        await answers.claim(a_question())
    await answers.release(Claim(a_question(), "t", 0.0))
    await database.close()


async def test_F9_a_key_that_could_not_be_given_free_is_free_once_the_store_writes(
    answers, database
):
    claim = await answers.claim(a_question())
    async with database.writing():
        await answers.release(claim)

    assert isinstance(await answers.claim(a_question(question={"input": "11"})), Claim)


async def test_F9_what_was_forsaken_is_taken_out_without_another_request(answers, database):
    answers.forsake(await answers.claim(a_question()))

    await answers.clear_forsaken()

    async with database.reading() as connection:
        assert (await connection.execute(select(IDEMPOTENT_ANSWERS.c.claim))).all() == []


async def test_F9_an_answer_that_was_kept_after_all_survives_its_forsaken_claim(answers, database):
    claim = await answers.claim(a_question())
    await keep(database, claim, "{}")

    await answers.release(claim)

    assert await answers.claim(a_question()) == "{}"


@pytest.mark.parametrize("steps", [0, 1, 3, 6])
async def test_T13_a_caller_that_is_cancelled_while_claiming_leaves_its_key_free(answers, steps):
    claiming = asyncio.create_task(answers.claim(a_question()))
    for _ in range(steps):
        await asyncio.sleep(0.001)
    claiming.cancel()
    await asyncio.gather(claiming, return_exceptions=True)
    if not claiming.cancelled():
        await answers.release(claiming.result())

    assert isinstance(await answers.claim(a_question()), Claim)


async def test_forsaken_claims_are_bounded(answers):
    for number in range(MAX_FORSAKEN + 5):
        answers.forsake(Claim(a_question(), str(number), 0.0))

    await answers.clear_forsaken()

    assert isinstance(await answers.claim(a_question()), Claim)
