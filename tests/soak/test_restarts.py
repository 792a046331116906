"""Versions changed by orderly restarts under load: what was taken is answered, and named right."""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from pathlib import Path

import pytest

from bench.load import closed_loop, run
from tests.conftest import write_tiny_checkpoint
from tests.e2e.test_versions import Caller, pairs, versions
from tests.soak.figures import keep
from tests.soak.system import System, running
from tests.soak.test_overload import FILM

CHEST = "chest-xray"
RESTARTS = 20
CALLERS = 2


def restart_on(system: System, file: Path) -> float:
    """Stop in order, start on another file; return the seconds until it is ready."""
    process = system.processes[CHEST]
    process.terminate()
    assert process.wait(60) == 0
    system.checkpoints = {CHEST: file}
    begun = time.monotonic()
    system.start(CHEST)
    system.wait_ready(CHEST)
    return time.monotonic() - begun


@pytest.mark.soak
def test_figure_10_twenty_restarts_under_load_fail_no_request_that_was_taken(tmp_path, png_bytes):
    files = [write_tiny_checkpoint(CHEST, tmp_path / CHEST, version=n) for n in (1, 2)]
    checkpoints, open_gate = {CHEST: files[0]}, {"GATEWAY_REQUESTS_PER_MINUTE": "0"}
    with running(tmp_path, (CHEST,), checkpoints, **open_gate) as system:
        capacity = run(closed_loop(("127.0.0.1", system.port), FILM, clients=8, seconds=5)).rate
        with contextlib.ExitStack() as stack:
            callers = [stack.enter_context(Caller(system.url, png_bytes)) for _ in range(CALLERS)]
            ready_seconds = []
            for number in range(RESTARTS):
                callers[0].wait_for(5, f"v{number % 2 + 1}")
                ready_seconds.append(restart_on(system, files[(number + 1) % 2]))
            callers[0].wait_for(5, "v1")

    answers = [answer for caller in callers for answer in caller.answers]
    # A 503 is a refusal: the gateway knows of the restart, or the new process still loads.
    failed = [(status, body["code"]) for status, body in answers if status not in (200, 503)]
    figures = {
        "restarts": RESTARTS,
        "capacity_per_second": capacity,
        "statuses": dict(Counter(status for status, _ in answers)),
        "failed_admitted": len(failed),
        "slowest_start_seconds": max(ready_seconds),
    }
    keep("restarts", figures)
    assert failed == []
    for caller in callers:
        changes = [one for one, before in pairs(versions(caller.answers)) if one != before]
        assert changes == [f"v{n % 2 + 1}" for n in range(RESTARTS + 1)]
