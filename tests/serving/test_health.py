import pytest

from serving.health import HealthState, Phase

READY = (200, {"status": "ready", "reason": None})


def not_ready(reason):
    return 503, {"status": "not_ready", "reason": reason}


def loading(state):
    pass


def ready(state):
    state.mark_ready()


def draining(state):
    state.mark_ready()
    state.mark_draining()


def queue_full(state):
    state.mark_ready()
    state.add_check(lambda: "queue_full")


def failed_self_test(state):
    state.mark_ready()
    state.mark_failed("quality_control_failed")


def fatal(state):
    state.mark_fatal("model_refused", 78)


@pytest.mark.parametrize(
    ("situation", "expected"),
    [
        (loading, not_ready("loading")),
        (ready, READY),
        (draining, not_ready("draining")),
        (queue_full, not_ready("queue_full")),
        (failed_self_test, not_ready("quality_control_failed")),
        (fatal, not_ready("model_refused")),
    ],
)
async def test_F14_the_probes_tell_life_from_readiness(app, client, shell, situation, expected):
    async with client(app) as http:
        shell.health._phase, shell.health._reason = Phase.LOADING, "loading"
        situation(shell.health)
        live = await http.get("/livez")
        answer = await http.get("/readyz")

    assert (live.status_code, live.json()["status"]) == (200, "alive")
    assert (answer.status_code, answer.json()) == expected
    assert ("Retry-After" in answer.headers) == (answer.status_code == 503)


def test_draining_is_final():
    state = HealthState()
    state.mark_draining()

    state.mark_ready()

    assert state.reason() == "draining"


def test_a_failed_process_may_recover():
    state = HealthState()
    state.mark_failed("quality_control_failed")

    state.mark_ready()

    assert state.reason() is None


def test_a_fatal_reason_carries_the_exit_code():
    state = HealthState()

    state.mark_fatal("model_refused", 78)

    assert (state.exit_code, state.reason()) == (78, "model_refused")
