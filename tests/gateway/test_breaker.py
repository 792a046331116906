import asyncio
from contextlib import suppress

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from contracts.errors import (
    InvalidInput,
    ModalityUnavailable,
    ModelUnavailable,
    Overloaded,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from gateway.breaker import CircuitBreaker, State

THRESHOLD, PROBE_AFTER = 3, 10.0


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker(failure_threshold=THRESHOLD, probe_after_seconds=PROBE_AFTER, clock=clock)


def call(breaker, error=None, **options):
    """Make one call that ends with `error`."""
    expected = () if error is None else (type(error),)
    with suppress(*expected), breaker.attempt(**options):
        if error is not None:
            raise error


def open_it(breaker):
    for _ in range(THRESHOLD):
        call(breaker, UpstreamUnavailable("x"))


def test_it_opens_after_failures_in_a_row(breaker):
    open_it(breaker)

    assert breaker.state is State.OPEN
    with pytest.raises(ModalityUnavailable) as caught:
        breaker.check()
    assert caught.value.retry_after_seconds == PROBE_AFTER


def test_a_success_in_between_starts_the_count_again(breaker):
    for _ in range(5):
        for _ in range(THRESHOLD - 1):
            call(breaker, UpstreamUnavailable("x"))
        call(breaker)

    assert breaker.state is State.CLOSED


@pytest.mark.parametrize(
    "error", [InvalidInput("x"), ModelUnavailable("x"), Overloaded("x")], ids=lambda e: e.code
)
def test_an_answer_of_the_service_itself_never_opens_it(breaker, error):
    for _ in range(10 * THRESHOLD):
        call(breaker, error)

    assert breaker.state is State.CLOSED


def test_an_error_of_our_own_while_asking_counts_as_failure(breaker):
    for _ in range(THRESHOLD):
        call(breaker, RuntimeError("unforeseen"))

    assert breaker.state is State.OPEN


def test_a_timeout_blames_nobody_when_the_caller_left_too_little_time(breaker):
    for _ in range(10 * THRESHOLD):
        call(breaker, UpstreamTimeout("x"), timeouts_count=False)

    assert breaker.state is State.CLOSED


def test_while_open_the_body_does_not_run(breaker):
    open_it(breaker)

    with pytest.raises(ModalityUnavailable), breaker.attempt():
        pytest.fail("the body ran")


def test_one_probe_goes_through_and_others_wait(breaker, clock):
    open_it(breaker)
    clock.now += PROBE_AFTER

    with breaker.attempt(), pytest.raises(ModalityUnavailable):
        breaker.check()

    assert breaker.state is State.CLOSED


def test_a_failed_probe_opens_it_for_another_period(breaker, clock):
    open_it(breaker)
    clock.now += PROBE_AFTER
    call(breaker, UpstreamTimeout("x"))

    assert breaker.state is State.OPEN
    clock.now += PROBE_AFTER - 0.1
    assert breaker.state is State.OPEN


def test_a_cancelled_probe_leaves_the_next_call_to_probe(breaker, clock):
    open_it(breaker)
    clock.now += PROBE_AFTER
    call(breaker, asyncio.CancelledError())

    assert breaker.state is State.HALF_OPEN
    call(breaker)
    assert breaker.state is State.CLOSED


def test_a_call_from_before_the_opening_does_not_close_it(breaker):
    slow = breaker.attempt()
    slow.__enter__()
    open_it(breaker)
    slow.__exit__(None, None, None)

    assert breaker.state is State.OPEN


def test_F2_a_failure_from_before_the_opening_does_not_prolong_it(breaker, clock):
    slow = [breaker.attempt() for _ in range(THRESHOLD)]
    for attempt in slow:
        attempt.__enter__()
    open_it(breaker)
    clock.now += PROBE_AFTER - 1
    for attempt in slow:
        late = UpstreamTimeout("x")
        with suppress(UpstreamTimeout):
            attempt.__exit__(type(late), late, None)
    clock.now += 1

    assert breaker.state is State.HALF_OPEN


class BreakerMachine(RuleBasedStateMachine):
    """Whatever the order of starts and ends: open exactly when the model says so."""

    def __init__(self):
        super().__init__()
        self.clock = Clock()
        self.breaker = CircuitBreaker(
            failure_threshold=THRESHOLD, probe_after_seconds=PROBE_AFTER, clock=self.clock
        )
        self.running = []
        self.epoch = 0
        self.failures = 0
        self.opened_at = None
        self.probe = None

    @property
    def admits(self):
        due = self.opened_at is None or self.clock.now >= self.opened_at + PROBE_AFTER
        return due and self.probe is None

    @rule()
    def start(self):
        attempt = self.breaker.attempt()
        if not self.admits:
            with pytest.raises(ModalityUnavailable):
                attempt.__enter__()
            return
        attempt.__enter__()
        self.running.append((attempt, self.epoch))
        if self.opened_at is not None:
            self.probe = attempt

    @precondition(lambda self: self.running)
    @rule(
        which=st.integers(0, 100),
        error=st.sampled_from(
            [None, UpstreamUnavailable("x"), InvalidInput("x"), asyncio.CancelledError()]
        ),
    )
    def end(self, which, error):
        attempt, epoch = self.running.pop(which % len(self.running))
        if error is None:
            attempt.__exit__(None, None, None)
        else:
            assert attempt.__exit__(type(error), error, None) is not True
        if epoch == self.epoch:
            self._learn(attempt, error)

    def _learn(self, attempt, error):
        was_probe = attempt is self.probe
        if was_probe:
            self.probe = None
        if isinstance(error, UpstreamUnavailable):
            self.failures += 1
            if was_probe or self.failures >= THRESHOLD:
                self._turn(self.clock.now)
        elif not isinstance(error, asyncio.CancelledError):
            self.failures = 0
            if was_probe:
                self._turn(None)

    def _turn(self, opened_at):
        self.opened_at, self.failures = opened_at, 0
        self.epoch += 1

    @rule(seconds=st.floats(0.1, 2 * PROBE_AFTER))
    def wait(self, seconds):
        self.clock.now += seconds

    @invariant()
    def state_is_the_models(self):
        if self.opened_at is None:
            expected = State.CLOSED
        elif self.probe is not None or self.clock.now >= self.opened_at + PROBE_AFTER:
            expected = State.HALF_OPEN
        else:
            expected = State.OPEN
        assert self.breaker.state is expected


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerAgainstItsModel = BreakerMachine.TestCase
