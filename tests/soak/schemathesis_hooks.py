"""What Schemathesis cannot know by itself: files of the declared types, when 504 is no fault, and
the count of all answers. Loaded by its command through `SCHEMATHESIS_HOOKS`.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from pathlib import Path

import schemathesis
from hypothesis import strategies as st

from tests.soak.samples import record_zip, small

ANSWERS: Counter[str] = Counter()


def damaged(payload: bytes) -> st.SearchStrategy[bytes]:
    """The file whole, or cut, or with something behind it."""
    cut = st.integers(0, len(payload)).map(lambda size: payload[:size])
    return st.one_of(st.just(payload), cut, st.binary(max_size=64).map(payload.__add__))


for media_type, payload in (
    ("image/png", small("breast-ultrasound/benign-31.png", "PNG")),
    ("image/jpeg", small("chest-xray/IM-0117-0001.jpeg", "JPEG")),
    ("application/zip", record_zip()),
):
    schemathesis.openapi.media_type(media_type, damaged(payload))


@schemathesis.check
def no_server_error(ctx, response, case) -> None:
    """No 5xx, but the 504 that a caller asks for with a short `X-Deadline-Ms`."""
    asked_for = response.status_code == 504 and "X-Deadline-Ms" in (case.headers or {})
    assert response.status_code < 500 or asked_for, f"status {response.status_code}"


@schemathesis.check
def errors_are_problems(ctx, response, case) -> None:
    """Every refusal is a problem of at most 4 KB that names its request."""
    if response.status_code < 400 or case.method == "HEAD":
        return
    assert response.headers["content-type"] == ["application/problem+json"]
    assert len(response.content) <= 4096
    problem = response.json()
    assert problem["status"] == response.status_code
    assert [problem["request_id"]] == response.headers["x-request-id"]


@schemathesis.hook
def after_call(context, case, response) -> None:
    """Count one answer."""
    ANSWERS[str(response.status_code)] += 1


@atexit.register
def report() -> None:
    """Write how often each status was the answer."""
    if (place := os.environ.get("ANSWERS_FILE")) is not None:
        Path(place).write_text(json.dumps(dict(sorted(ANSWERS.items()))))
