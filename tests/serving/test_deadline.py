import asyncio

import pytest
from starlette.requests import Request

from contracts.errors import BadRequest, UpstreamTimeout
from serving.deadline import Deadline, deadline_of


def a_request(value=None):
    headers = [] if value is None else [(b"x-deadline-ms", value.encode())]
    return Request({"type": "http", "headers": headers})


def at_noon():
    return 1000.0


@pytest.mark.parametrize(("sent", "seconds"), [(None, 10.0), ("2500", 2.5), ("99999", 10.0)])
def test_a_caller_may_only_shorten_the_budget(sent, seconds):
    deadline = deadline_of(a_request(sent), 10.0, at_noon)

    assert deadline.remaining_seconds == seconds


@pytest.mark.parametrize("sent", ["", "-1", "1.5", "x", "٣", "1" * 10])
def test_a_bad_header_is_a_bad_request(sent):
    with pytest.raises(BadRequest):
        deadline_of(a_request(sent), 10.0, at_noon)


def test_F10_the_remaining_time_travels_in_whole_milliseconds_and_never_below_zero():
    now = [1000.0]
    deadline = Deadline(1001.2345, lambda: now[0])

    first = deadline.header_value
    now[0] = 2000.0

    assert (first, deadline.header_value) == ("1234", "0")


async def test_work_beyond_the_deadline_is_cancelled_and_504():
    deadline = deadline_of(a_request("20"), 10.0)

    with pytest.raises(UpstreamTimeout) as late:
        async with deadline.scope():
            await asyncio.sleep(5)

    assert (late.value.status, late.value.code) == (504, "deadline_exceeded")


async def test_work_that_is_late_before_it_begins_is_not_begun():
    begun = False

    with pytest.raises(UpstreamTimeout):
        async with deadline_of(a_request("0"), 10.0, at_noon).scope():
            begun = True

    assert not begun
