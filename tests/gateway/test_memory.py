import pytest

from contracts.errors import Overloaded
from gateway.memory import BodyMemory


def test_all_bodies_together_stay_below_the_cap():
    memory = BodyMemory(100)
    with memory.share() as first, memory.share() as second:
        first.take(60)
        second.take(40)

        with pytest.raises(Overloaded):
            first.take(1)


def test_what_a_request_held_is_free_when_it_ends_even_in_an_error():
    memory = BodyMemory(100)
    with pytest.raises(Overloaded), memory.share() as share:
        share.take(90)
        share.take(90)

    assert memory.held_bytes == 0
