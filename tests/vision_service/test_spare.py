"""A spare thread takes work where it is idle, and nobody waits for one that is not."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from vision_service.spare import NOBODY, Spare


@pytest.fixture
def pool():
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_an_idle_thread_does_the_work_meanwhile(pool):
    done = threading.Event()

    result = Spare(pool, lambda: True).begin(lambda: done.set() or threading.get_ident())

    assert done.wait(30)
    assert result() == pool.submit(threading.get_ident).result()


def test_a_thread_that_found_other_work_is_not_waited_for(pool):
    release = threading.Event()
    busy = pool.submit(release.wait, 30)

    result = Spare(pool, lambda: True).begin(threading.get_ident)

    assert result() == threading.get_ident()
    assert not busy.done()
    release.set()


@pytest.mark.parametrize("idle", [True, False])
def test_what_the_work_raises_is_raised_where_its_result_is_asked_for(pool, idle):
    result = Spare(pool, lambda: idle).begin(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        result()


def test_without_an_idle_thread_the_work_is_done_when_asked_for(pool):
    for spare in (NOBODY, Spare(pool, lambda: False)):
        assert not spare.is_there
        assert spare.begin(threading.get_ident)() == threading.get_ident()
