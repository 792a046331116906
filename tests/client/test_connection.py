"""Repeats only where that is safe, and every failure as an error that says what to do."""

import json

import httpx2
import pytest

from client.connection import Call, Connection, Patience
from client.errors import MediFlowError, Refused, Unreachable

KEYED = Call("POST", "/v1/ecg/predictions", payload=b"x", keyed=True)
PLAIN = Call("POST", "/v1/ecg/explanations", payload=b"x")
READ = Call("GET", "/health", repeatable=True)


def problem(status, code, **headers):
    body = {"title": "t", "status": status, "detail": "d", "code": code, "request_id": "r"}
    return httpx2.Response(status, content=json.dumps(body), headers=headers)


def broken(request):
    raise httpx2.ReadError("gone", request=request)


def nobody(request):
    raise httpx2.ConnectError("refused", request=request)


class Script:
    """A gateway that answers by a list; the last entry is repeated."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []
        self.pauses = []

    def connection(self, **options):
        return Connection(
            "http://gateway:8000",
            transport=httpx2.MockTransport(self),
            sleep=self.pauses.append,
            **options,
        )

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return answer(request) if callable(answer) else answer

    @property
    def keys(self):
        return [request.headers.get("Idempotency-Key") for request in self.requests]


OK = httpx2.Response(200, content=b"{}")


def test_a_gateway_that_is_busy_is_asked_again_after_the_pause_it_names():
    script = Script(problem(429, "rate_limited", **{"Retry-After": "4"}), OK)

    script.connection().ask(PLAIN)

    assert script.pauses == [4.0]


def test_a_refused_request_is_repeated_under_a_new_key_as_the_old_may_still_be_held():
    script = Script(problem(503, "audit_unavailable", **{"Retry-After": "1"}), OK)

    script.connection().ask(KEYED)

    first, second = script.keys
    assert first and second and first != second


def test_a_broken_exchange_is_repeated_under_the_same_key():
    script = Script(broken, OK)

    script.connection().ask(KEYED)

    first, second = script.keys
    assert first and first == second


def test_a_request_whose_first_sending_is_still_at_work_is_waited_for():
    script = Script(broken, problem(409, "idempotency_in_progress", **{"Retry-After": "1"}), OK)

    assert script.connection().ask(KEYED).status_code == 200
    assert len(set(script.keys)) == 1


@pytest.mark.parametrize("failure", [broken, problem(504, "upstream_timeout")])
def test_what_cannot_be_told_apart_is_not_repeated_after_a_broken_exchange(failure):
    script = Script(failure)

    with pytest.raises((Unreachable, Refused)):
        script.connection().ask(PLAIN)

    assert len(script.requests) == 1


@pytest.mark.parametrize("failure", [broken, problem(502, "upstream_unavailable")])
def test_a_repeat_that_fails_too_is_the_last(failure):
    script = Script(failure)

    with pytest.raises((Unreachable, Refused)):
        script.connection().ask(READ)

    assert len(script.requests) == 2


def test_a_model_that_is_not_there_is_not_waited_for():
    script = Script(problem(503, "model_unavailable", **{"Retry-After": "30"}))

    with pytest.raises(Refused) as refused:
        script.connection(patience=Patience(repeats=300)).ask(KEYED)

    assert script.pauses == []
    assert "mediflow doctor" in refused.value.advice


def test_waiting_ends_with_the_patience():
    script = Script(problem(503, "overloaded", **{"Retry-After": "2"}))

    with pytest.raises(Refused):
        script.connection(patience=Patience(repeats=5)).ask(KEYED)

    assert script.pauses == [2.0, 2.0]


def test_where_nobody_answers_the_error_says_how_to_start_the_system():
    script = Script(nobody)

    with pytest.raises(Unreachable, match="make up") as unreachable:
        script.connection().ask(KEYED)

    assert not unreachable.value.sent
    assert len(script.requests) == 2


@pytest.mark.parametrize("status", [301, 404, 500])
def test_an_answer_of_somebody_else_is_named_as_such_and_no_redirect_is_followed(status):
    script = Script(httpx2.Response(status, content="<html>", headers={"Location": "/x"}))

    with pytest.raises(Unreachable, match="not from MediFlow"):
        script.connection().ask(READ)

    assert {request.url.path for request in script.requests} == {"/health"}


def test_the_key_goes_along_as_a_bearer_token():
    script = Script(OK)

    script.connection(api_key="mf_secret").ask(READ)

    assert script.requests[0].headers["Authorization"] == "Bearer mf_secret"


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host", "http://", ""])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(MediFlowError, match="http://host:8000"):
        Connection(url)


def test_neither_input_nor_key_shows_in_what_is_printed_of_a_call():
    assert "secret" not in repr(Call("POST", "/", payload=b"secret"))
