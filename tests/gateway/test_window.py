"""The local rate limit: exact, monotonic, bounded."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.window import MovingWindow


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@given(
    st.lists(st.tuples(st.floats(0, 30), st.sampled_from("ab")), max_size=60),
    st.integers(1, 5),
)
def test_no_name_ever_gets_more_than_the_limit_in_any_window(steps, limit):
    clock = Clock()
    window = MovingWindow(window_seconds=60, clock=clock)
    admitted = {"a": [], "b": []}
    for pause, name in steps:
        clock.now += pause
        recent = [moment for moment in admitted[name] if moment > clock.now - 60]

        count = window.hit(name, limit)

        assert count.within == (len(recent) < limit)
        if count.within:
            admitted[name].append(clock.now)
            recent.append(clock.now)
        assert count.remaining == limit - len(recent)
        assert 0 <= count.reset_seconds <= 60 + 1e-6


def test_a_refused_request_is_admitted_after_the_reset_it_was_told():
    clock = Clock()
    window = MovingWindow(clock=clock)
    window.hit("a", 1)
    clock.now += 12.5
    refused = window.hit("a", 1)
    clock.now += refused.reset_seconds

    assert not refused.within
    assert window.hit("a", 1).within


def test_names_are_forgotten_so_that_hostile_callers_cannot_fill_the_memory():
    clock = Clock()
    window = MovingWindow(max_names=100, clock=clock)
    for number in range(1000):
        window.hit(f"n{number}", 5)
    assert len(window) == 100

    clock.now += 61
    window.hit("last", 5)
    assert len(window) == 1
