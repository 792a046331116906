"""An event loop that stands still: its probes fall silent, it is measured, and not for ever."""

import threading
import time

import httpx2
import pytest

from tests.serving.test_server import running  # noqa: F401 - a fixture

SILENT = httpx2.Timeout(10, read=0.5)


def value_of(metrics, name):
    return float(next(line.split()[1] for line in metrics.splitlines() if line.startswith(name)))


def block(base, seconds):
    """Let the loop stand still; return the thread that waits for the answer."""
    thread = threading.Thread(target=ask, args=(f"{base}/block?seconds={seconds}",))
    thread.start()
    time.sleep(0.3)
    return thread


def ask(url):
    try:
        httpx2.get(url, timeout=30)
    except httpx2.TransportError:
        return


def test_F14_F15_while_stuck_no_probe_answers_and_afterwards_the_lag_tells(running):  # noqa: F811
    port, process = running
    base = f"http://127.0.0.1:{port}"
    caller = block(base, 2)
    for probe in ("livez", "readyz"):
        with pytest.raises(httpx2.ReadTimeout):
            httpx2.get(f"{base}/{probe}", timeout=SILENT)
    caller.join()
    time.sleep(0.6)  # until the loop has measured itself

    assert httpx2.get(f"{base}/livez").status_code == 200
    assert httpx2.get(f"{base}/readyz").status_code == 200
    assert value_of(httpx2.get(f"{base}/metrics").text, "event_loop_lag_max_seconds ") > 1
    assert process.poll() is None


def test_F14_F15_a_process_that_stays_stuck_is_ended_after_the_stated_time(running):  # noqa: F811
    port, process = running
    started = time.monotonic()
    caller = block(f"http://127.0.0.1:{port}", 60)
    code = process.wait(30)
    waited = time.monotonic() - started
    caller.join()

    assert code == 1
    assert 3 < waited < 20
    said = process.stderr.read()
    assert "server_app.py" in said
    assert "in block" in said
