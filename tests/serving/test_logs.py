import io
import json
import logging

import pytest
from fastapi import Request

from serving.logs import JsonFormatter, configure_logging
from serving.scope import note

SECRET = "John-Doe-MRN-123"


@pytest.fixture
def stream():
    """Send this process's logs into a buffer, and put everything back afterwards."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    buffer = io.StringIO()
    configure_logging("DEBUG", buffer)
    yield buffer
    root.handlers[:] = before
    root.setLevel(level)
    logging.getLogger("uvicorn.access").disabled = False


def lines_of(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_one_line_per_request_tells_route_status_time_and_noted_facts(app, call, stream):
    @app.post("/v1/{modality}/predictions")
    async def predict(request: Request, modality: str) -> dict[str, str]:
        note(request.scope, modality="chest-xray", bytes=12)
        return {}

    await call(app, "POST", f"/v1/{SECRET}/predictions?patient={SECRET}", content=SECRET)

    (line,) = [line for line in lines_of(stream) if line["event"] == "request"]
    assert line["route"] == "/v1/{modality}/predictions"
    assert (line["method"], line["status"]) == ("POST", 200)
    assert (line["modality"], line["bytes"]) == ("chest-xray", 12)
    assert line["ms"] >= 0
    assert line["request_id"]


async def test_nothing_that_was_sent_stands_in_a_log_line(app, call, stream):
    @app.get("/boom")
    async def boom() -> None:
        raise RuntimeError(SECRET)

    await call(app, "GET", f"/boom?{SECRET}", headers={"X-Name": SECRET, "X-Request-ID": "id"})
    await call(app, "GET", f"/{SECRET}")

    assert SECRET not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


async def test_F17_a_log_line_stays_one_line(app, call, stream):
    logging.getLogger("test").warning('one\ntwo\r\n{"level": "forged"}\u2028three')

    assert len(stream.getvalue().splitlines()) == 1
    assert lines_of(stream)[0]["level"] == "warning"


async def test_only_known_facts_may_be_noted():
    with pytest.raises(KeyError):
        note({}, patient="x")


async def test_an_unknown_method_is_logged_as_other(app, call, stream):
    await call(app, SECRET.upper(), "/nowhere")

    assert lines_of(stream)[-1]["method"] == "OTHER"


def test_an_exception_is_logged_as_class_and_places_only():
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        record = logging.LogRecord(
            "x", 40, __file__, 1, "failed", (), (type(error), error, error.__traceback__)
        )

    line = json.loads(JsonFormatter().format(record))

    assert line["exception"] == "ValueError"
    assert "test_logs.py" in line["where"][-1]
    assert SECRET not in json.dumps(line)
