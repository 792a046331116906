"""An event loop that stands still: its probes fall silent, it is measured, and not for ever."""

import threading
import time

import httpx2
import pytest

from tests.serving.test_server import running  # noqa: F401 - a fixture

SILENT = httpx2.Timeout(10, read=1.0)


def lag_of(http):
    lines = http.get("/metrics").text.splitlines()
    return float(next(x.split()[1] for x in lines if x.startswith("event_loop_lag_max_seconds ")))


def eventually(holds):
    """Wait for a condition; return whether it came true."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False


def block(port, held):
    """Let the loop stand still for as long as a file is there; return who waits for the answer."""
    url = f"http://127.0.0.1:{port}/block?held={held}"
    thread = threading.Thread(target=ask, args=(url,))
    thread.start()
    assert eventually(held.exists)
    return thread


def ask(url):
    try:
        httpx2.get(url, timeout=120)
    except httpx2.TransportError:
        return


def test_F14_F15_while_stuck_no_probe_answers_and_afterwards_the_lag_tells(
    running,  # noqa: F811
    tmp_path,
):
    port, process = running
    held = tmp_path / "held"
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}") as http:
        caller = block(port, held)
        for probe in ("livez", "readyz"):
            with pytest.raises(httpx2.ReadTimeout):
                http.get(f"/{probe}", timeout=SILENT)
        held.unlink()
        caller.join()

        assert http.get("/livez").status_code == 200
        assert http.get("/readyz").status_code == 200
        assert eventually(lambda: lag_of(http) > 1)  # as soon as the loop has measured itself
    assert process.poll() is None


def test_F14_F15_a_process_that_stays_stuck_is_ended_after_the_stated_time(
    running,  # noqa: F811
    tmp_path,
):
    port, process = running
    started = time.monotonic()
    caller = block(port, tmp_path / "held")
    code = process.wait(60)
    waited = time.monotonic() - started
    caller.join()

    assert code == 1
    assert 5 < waited < 40
    said = process.stderr.read()
    assert "server_app.py" in said
    assert "in stand_still" in said
    assert "in block" in said
