"""How long opinions are kept, on both stores."""

import io
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from gateway.feedback import FeedbackStore, Opinion
from gateway.tables import FEEDBACK

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
async def opinions(database, archive, store, entry):
    """One opinion of May and one of June, each on a prediction of its own."""
    times = iter([MAY, JUNE])
    feedback = FeedbackStore(database, archive, now=lambda: next(times))
    for number in (1, 2):
        answer = {"label": "NORMAL", "probabilities": {"NORMAL": 0.9, "PNEUMONIA": 0.1}}
        await store.record(
            entry(
                number,
                outcome="accepted",
                input_sha256="a" * 64,
                answer=answer,
            )
        )
        await feedback.add(f"p-{number}", "k1", Opinion(agree=True))
    return feedback


async def kept(database):
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).select_from(FEEDBACK))


@pytest.mark.parametrize(
    ("before", "gone"),
    [
        ("2026-05-01T00:00:00.000000Z", 0),
        ("2026-05-15T00:00:00.000000Z", 1),
        ("2026-06-01T00:00:00.000000Z", 1),
        ("2999-01-01T00:00:00.000000Z", 2),
    ],
)
async def test_opinions_older_than_the_limit_are_deleted_and_no_others(
    opinions, database, before, gone
):
    assert await opinions.prune(before) == gone
    assert await kept(database) == 2 - gone


async def test_what_was_pruned_is_exported_no_more(opinions):
    await opinions.prune("2026-05-15T00:00:00.000000Z")
    stream = io.StringIO()

    assert await opinions.export(stream) == 1
