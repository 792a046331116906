"""Names and paths that want to be more than names, against a process whose openings are watched."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from gateway.__main__ import app
from tests.conftest import strace_of_opens
from tests.gateway.fakes import JPEG_BYTES
from tests.gateway.forms import CONTENT_TYPE
from tests.gateway.sockets.conftest import Gateway, wait_until
from tests.gateway.sockets.wire import URL, Wire, head

CANARY = "mf-canary"
NAMES = [
    f"../../{CANARY}",
    f"/tmp/{CANARY}",
    f"~/{CANARY}",
    f"C:\\{CANARY}",
    f"file:///{CANARY}",
    f"{CANARY}\0.jpg",
    f"{CANARY}\r\nX-Injected: yes",
    f'{CANARY}"; filename="other',
    f"\u202e{CANARY}",
    f"\U0001f600{CANARY}",
    f"CON.{CANARY}",
    f"|touch {CANARY}",
    f"%2e%2e%2f{CANARY}",
    f"{CANARY}{'x' * 5000}",
]
#: Ways to spell a path or to name a host that have opened doors elsewhere.
HEADS = [
    *(
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
        for method in ("GET", "POST")
        for path in (
            "//v1/chest-xray/predictions",
            "/livez/../v1/chest-xray/predictions",
            "/livez/%2e%2e/v1/chest-xray/predictions",
            "/livez%2f..%2fv1%2fchest-xray%2fpredictions",
            "/v1/./chest-xray/predictions",
            "/v1/chest-xray/predictions/",
            "/v1/chest-xray/predictions;/livez",
            "/v1/chest-xray/predictions?/livez",
            "/V1/chest-xray/predictions",
            "/v1/chest-xray/predictions%00/livez",
            "/static/../metrics",
            "/static/%2e%2e/metrics",
            "/docs/../metrics",
            "/metrics/",
        )
    ),
    *(
        f"POST /v1/chest-xray/predictions HTTP/1.1\r\n{lines}"
        for lines in (
            "Host: x/livez?\r\n",
            "Host: localhost\r\nX-Forwarded-For: 127.0.0.1\r\n",
            "Host: localhost\r\nForwarded: for=127.0.0.1\r\n",
            "Host: localhost\r\nX-Real-IP: 127.0.0.1\r\n",
            "Host: x\r\nX-Original-URL: /livez\r\n",
            "Host: x\r\nX-Rewrite-URL: /livez\r\n",
            "Host: x\r\nX-HTTP-Method-Override: GET\r\n",
            "Host: x\r\nX-Forwarded-Prefix: /livez\r\n",
            "Host: x\r\nX-Forwarded-Host: localhost\r\n",
            "Host: x\r\nAuthorization: Bearer \r\n",
            "Host: x\r\nAuthorization: Basic OjE=\r\n",
            "Host: x\r\nCookie: key=admin\r\n",
        )
    ),
]


REFUSALS = [(401, "unauthorized"), (400, "malformed_request"), (404, "not_found")]


@pytest.fixture(scope="module")
def key_and_gateway(tmp_path_factory, faulty, healthy):
    """A gateway that needs a key, whose openings of files are written down."""
    folder = tmp_path_factory.mktemp("watched")
    made = CliRunner().invoke(
        app,
        ["keys", "make", "--name", "tester"],
        env={"GATEWAY_DATA_DIR": str(folder / "data")},
    )
    assert made.exit_code == 0, made.output
    prefix = strace_of_opens(folder / "opened") if shutil.which("strace") else []
    gateway = Gateway(folder, [faulty, healthy], prefix=prefix)
    yield made.stdout.splitlines()[0], gateway
    gateway.stop()


def named(name):
    """A form whose file has this name, written as it is."""
    disposition = f'form-data; name="file"; filename="{name}"'.encode()
    return (
        b"--b0undary\r\nContent-Disposition: "
        + disposition
        + b"\r\n\r\n"
        + JPEG_BYTES
        + b"\r\n--b0undary--\r\n"
    )


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_T9_no_file_is_opened_by_a_name_that_was_sent(key_and_gateway, faulty):
    key, gateway = key_and_gateway
    faulty.mode = "well"
    before = gateway.log.count('"/v1/{modality}/predictions"')
    statuses = []
    for name in NAMES:
        body = named(name)
        with Wire(gateway.port) as wire:
            wire.send(head(len(body), f"X-API-Key: {key}", media_type=CONTENT_TYPE) + body)
            answer = wire.receive()
        assert CANARY.encode() not in answer.raw, name
        assert b"x-injected" not in answer.raw.lower()
        statuses.append(answer.status)
    opened = (gateway.log_file.parent / "opened").read_text(errors="replace")

    assert set(statuses) <= {200, 400, 422}
    assert statuses[0] == 200
    assert "gateway" in opened
    assert CANARY not in opened
    assert CANARY not in gateway.log
    lines = before + len(NAMES)
    assert wait_until(lambda: gateway.log.count('"/v1/{modality}/predictions"') >= lines)
    assert gateway.log.count('"/v1/{modality}/predictions"') == lines


def test_T14_no_spelling_of_a_request_gets_in_without_a_key(key_and_gateway):
    _, gateway = key_and_gateway
    assert len(HEADS) == 40
    for raw in HEADS:
        with Wire(gateway.port) as wire:
            wire.send(raw.encode() + b"Content-Length: 0\r\n\r\n")
            answer = wire.receive()

        refused = (answer.status, json.loads(answer.body)["code"])
        assert refused in REFUSALS, raw


def test_T14_with_the_key_the_plain_request_is_answered(key_and_gateway, faulty):
    key, gateway = key_and_gateway
    faulty.mode = "well"
    with Wire(gateway.port) as wire:
        wire.send(head(len(JPEG_BYTES), f"X-API-Key: {key}", path=URL) + JPEG_BYTES)

        assert wire.receive().status == 200
