"""What is written in the app's place is an answer like any other."""

import json

from contracts.errors import BadRequest, Overloaded
from serving.headers import DEFAULT_HEADERS
from serving.last_answer import last_answer


def parts_of(written):
    """The status line, the headers with names in lower case, and the body of an answer."""
    head, _, body = written.decode().partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    pairs = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in pairs}) == len(pairs)
    return status, {name.lower(): value for name, value in pairs}, body


def test_the_last_answer_is_a_whole_problem_and_closes_the_connection():
    status, headers, body = parts_of(last_answer(BadRequest("No request."), "our-id"))

    assert status == "HTTP/1.1 400 Bad Request"
    assert headers["content-type"] == "application/problem+json"
    assert headers["content-length"] == str(len(body))
    assert headers["connection"] == "close"
    assert headers["x-request-id"] == json.loads(body)["request_id"] == "our-id"
    assert headers.items() >= {name.lower(): text for name, text in DEFAULT_HEADERS.items()}.items()


def test_the_last_answer_to_who_gave_no_id_gets_one_and_says_when_to_come_again():
    error = Overloaded("Full.", retry_after_seconds=7)

    _, headers, body = parts_of(last_answer(error))

    assert headers["retry-after"] == "7"
    assert headers["x-request-id"] == json.loads(body)["request_id"] != ""
