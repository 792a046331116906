import asyncio

import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse

from contracts.errors import AuditUnavailable, Forbidden
from gateway.recording import RecordingMiddleware, exchange_in, is_recorded


class FakeRecorder:
    """Keeps the exchanges, or cannot."""

    def __init__(self, broken=False):
        self.exchanges = []
        self.broken = broken

    async def record(self, exchange):
        if self.broken:
            raise AuditUnavailable("no")
        self.exchanges.append(exchange)


async def run(app, recorder, method="POST", path="/v1/x/predictions"):
    """Send one request through; return the messages that went out."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append((message, len(recorder.exchanges)))

    scope = {"type": "http", "method": method, "path": path, "headers": [], "state": {}}
    await RecordingMiddleware(app, lambda: recorder)(scope, receive, send)
    return sent


async def good(scope, receive, send):
    await PlainTextResponse("the result")(scope, receive, send)


async def test_the_record_is_stored_before_the_first_byte_of_the_answer():
    recorder = FakeRecorder()

    sent = await run(good, recorder)

    assert [count for _, count in sent] == [1, 1]
    assert recorder.exchanges[0].status == 200
    assert recorder.exchanges[0].route == "unmatched"


async def test_F9_when_the_record_fails_the_answer_is_a_503_and_holds_nothing_of_the_result():
    sent = await run(good, FakeRecorder(broken=True))

    start, body = (message for message, _ in sent)
    assert start["status"] == 503
    assert b"audit_unavailable" in body["body"]
    assert b"the result" not in body["body"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Forbidden("x"), 403, "forbidden"),
        (ClientDisconnect(), 499, "client_gone"),
        (RuntimeError("x"), 500, "internal_error"),
    ],
)
async def test_an_end_by_exception_is_recorded_too(error, status, code):
    async def fail(scope, receive, send):
        raise error

    recorder = FakeRecorder()
    with pytest.raises(type(error)):
        await run(fail, recorder)

    (exchange,) = recorder.exchanges
    assert (exchange.status, exchange.code) == (status, code)


@pytest.mark.parametrize("broken", [False, True])
async def test_F8_a_request_that_the_server_cuts_is_recorded_and_stays_cut(broken):
    async def cut(scope, receive, send):
        raise asyncio.CancelledError

    recorder = FakeRecorder(broken)
    with pytest.raises(asyncio.CancelledError):
        await run(cut, recorder)

    assert [(one.status, one.code) for one in recorder.exchanges] == (
        [] if broken else [(499, "cancelled")]
    )


async def test_an_answer_that_breaks_off_is_recorded_once():
    async def break_off(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    recorder = FakeRecorder()
    with pytest.raises(RuntimeError):
        await run(break_off, recorder)

    assert len(recorder.exchanges) == 1


async def test_what_a_route_learnt_is_in_the_record():
    async def learn(scope, receive, send):
        exchange_in(scope).input_sha256 = "ab"
        await good(scope, receive, send)

    recorder = FakeRecorder()
    await run(learn, recorder)

    assert recorder.exchanges[0].input_sha256 == "ab"


@pytest.mark.parametrize(
    ("method", "path", "recorded"),
    [
        ("POST", "/anything", True),
        ("DELETE", "/v1/models", True),
        ("GET", "/v1/predictions/abc/receipt", True),
        ("GET", "/health", False),
        ("OPTIONS", "/v1/analyze", False),
    ],
)
async def test_analyses_changes_and_single_predictions_are_recorded(method, path, recorded):
    recorder = FakeRecorder()

    await run(good, recorder, method, path)

    assert is_recorded({"method": method, "path": path}) is recorded
    assert bool(recorder.exchanges) is recorded
