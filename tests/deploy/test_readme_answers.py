import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from deploy.readme_answers import printed_answers, refresh, shorten

ANSWER = {
    "outcome": "accepted",
    "label": "b",
    "probabilities": {"a": 0.1, "b": 0.61234, "c": 0.2, "d": 0.08},
    "findings": [{"label": "b", "positive": True}],
    "reasons": [],
    "triage": {"band": "low"},
}
SHORT = {
    "outcome": "accepted",
    "label": "b",
    "probabilities": {"b": 0.612, "c": 0.2, "a": 0.1},
    "triage": "low",
}
REQUEST = "```console\n$ curl http://localhost:8000/x\n{}\n```\n"
TEXT = f"Before.\n{REQUEST}Between.\n```\nnot a request\n```\n"


@pytest.fixture
def url():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(ANSWER).encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_an_answer_is_shortened_to_what_a_first_look_needs():
    assert shorten(ANSWER) == SHORT


def test_the_present_answer_stands_below_its_request_and_the_rest_stays(url):
    refreshed = refresh(TEXT, url)

    assert refreshed == TEXT.replace("{}", json.dumps(SHORT))
    assert printed_answers(refreshed) == [("curl http://localhost:8000/x", SHORT)]


def test_where_no_answer_comes_the_old_one_stays(capsys):
    assert refresh(TEXT, "http://127.0.0.1:9") == TEXT
    assert "curl http://localhost:8000/x" in capsys.readouterr().err
