import json
import signal
import threading
import time

import pytest

from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.sockets.conftest import wait_until
from tests.gateway.sockets.wire import Wire, ask, head

OTHER = "/v1/skin-lesion/predictions"


def code_of(answer):
    return json.loads(answer.body)["code"]


def get(gateway, path):
    with Wire(gateway.port) as wire:
        return wire.send(f"GET {path} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode()).receive()


def states(gateway):
    return json.loads(get(gateway, "/health").body)["modalities"]


def recovers(gateway):
    return wait_until(lambda: ask(gateway.port).status == 200)


@pytest.mark.parametrize("mode", ["reset", "garbage", "half", "error_page"])
def test_F4_F5_a_broken_answer_is_502_then_503_and_the_service_comes_back(gateway, faulty, mode):
    assert recovers(gateway)
    faulty.mode = mode
    answers = [ask(gateway.port) for _ in range(6)]
    other = ask(gateway.port, path=OTHER)
    faulty.mode = "well"

    assert [answer.status for answer in answers] == [502] * 5 + [503]
    assert code_of(answers[-1]) == "modality_unavailable"
    assert b"retry-after" in answers[-1].head.lower()
    assert other.status == 200
    assert recovers(gateway)


@pytest.mark.parametrize("mode", ["hang", "drip"])
def test_F2_F5_a_hanging_service_is_504_at_the_deadline_and_then_503_at_once(gateway, faulty, mode):
    assert recovers(gateway)
    faulty.mode = mode
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(gateway.port))) for _ in range(6)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    waited = time.monotonic() - started
    refused = ask(gateway.port)
    faulty.mode = "well"

    assert {answer.status for answer in answers} == {504}
    assert waited < 8
    assert (refused.status, code_of(refused)) == (503, "modality_unavailable")
    assert recovers(gateway)


def test_F14_a_service_whose_loop_is_stuck_is_504_then_503_and_others_go_on(gateway, faulty):
    assert recovers(gateway)
    faulty.mode = "stuck"
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask(gateway.port))) for _ in range(5)]
    for thread in threads:
        thread.start()
    others = [ask(gateway.port, path=OTHER) for _ in range(5)]
    for thread in threads:
        thread.join(30)
    refused = ask(gateway.port)
    unseen = wait_until(lambda: not states(gateway)["chest-xray"]["ready"])
    seen, ready = states(gateway), get(gateway, "/readyz")
    faulty.mode = "well"

    assert [answer.status for answer in answers] == [504] * 5
    assert [answer.status for answer in others] == [200] * 5
    assert (refused.status, code_of(refused)) == (503, "modality_unavailable")
    assert unseen
    assert seen["skin-lesion"] == {"ready": True, "breaker": "closed"}
    assert ready.status == 200
    assert recovers(gateway)
    assert wait_until(lambda: states(gateway)["chest-xray"]["ready"])


def test_F16_an_answer_that_failed_is_never_asked_for_again(gateway, faulty):
    assert recovers(gateway)
    faulty.mode = "reset"
    before = faulty.asked
    answers = [ask(gateway.port) for _ in range(20)]
    attempts = faulty.asked - before
    faulty.mode = "well"

    assert 0 < attempts <= sum(answer.status == 502 for answer in answers)
    assert recovers(gateway)


def test_T13_work_for_a_caller_who_left_is_cancelled(gateway, faulty):
    assert recovers(gateway)
    faulty.mode = "hang"
    asked, left = faulty.asked, faulty.left
    with Wire(gateway.port) as wire:
        wire.send(head(len(JPEG_BYTES), "X-Request-ID: who-left") + JPEG_BYTES)
        assert wait_until(lambda: faulty.asked > asked)
    started = time.monotonic()

    assert wait_until(lambda: faulty.left > left, seconds=5)
    assert time.monotonic() - started < 1.5
    assert wait_until(lambda: '"who-left"' in gateway.log)
    faulty.mode = "well"
    assert recovers(gateway)


def test_F1_a_service_that_is_not_there_is_502_then_503_in_no_time(tmp_path, healthy):
    from tests.gateway.sockets.conftest import Gateway

    class Nobody:
        modality = "chest-xray"
        url = "http://127.0.0.1:9"

    # No probe during the test: the breaker stays open.
    gateway = Gateway(tmp_path, [Nobody, healthy], GATEWAY_BREAKER_PROBE_SECONDS="60")
    try:
        answers = [ask(gateway.port) for _ in range(6)]
        started = time.perf_counter()
        refusals = [ask(gateway.port) for _ in range(5)]
        each_ms = (time.perf_counter() - started) * 1000 / 5
        other = ask(gateway.port, path=OTHER)
    finally:
        gateway.stop()

    assert [answer.status for answer in answers] == [502] * 5 + [503]
    for refusal in (answers[-1], *refusals):
        assert (refusal.status, code_of(refusal)) == (503, "modality_unavailable")
        assert b"retry-after:" in refusal.head.lower()
    assert each_ms < 1000  # in no time: a call that were made would be given seconds
    assert other.status == 200


def test_F8_a_stop_signal_lets_the_running_request_finish_and_exits_with_0(own_gateway, faulty):
    faulty.mode = "hang"
    asked = faulty.asked
    with Wire(own_gateway.port) as wire:
        wire.send(head(len(JPEG_BYTES)) + JPEG_BYTES)
        assert wait_until(lambda: faulty.asked > asked)
        own_gateway.process.send_signal(signal.SIGTERM)

        answer = wire.receive()

    assert answer.status == 504
    assert own_gateway.stop() == 0


def test_F13_running_out_of_descriptors_is_survived(own_gateway):
    import resource

    resource.prlimit(own_gateway.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    wires = []
    for _ in range(80):
        try:
            wires.append(Wire(own_gateway.port))
        except OSError:
            break
    for wire in wires:
        wire.socket.close()

    assert wait_until(lambda: ask(own_gateway.port).status == 200, seconds=30)
