"""Parts that fail are named with their reason, and do not end the run."""

from __future__ import annotations

import sys

import psutil
import pytest

from bench.attempts import Attempts, NotMeasured
from bench.environment import make
from bench.film import film, gets
from bench.parts import run_part
from bench.plan import FULL
from bench.server import Server, free_port, running


def fail(error: Exception) -> None:
    raise error


def test_a_part_that_fails_is_noted_and_the_next_one_is_measured():
    attempts = Attempts()

    assert attempts.get("one", lambda: fail(NotMeasured("too slow\nand a log"))) is None
    assert attempts.get("two", lambda: fail(OSError("/a/path"))) is None
    assert attempts.get("three", lambda: 3) == 3

    assert attempts.failed == {"one": "too slow", "two": "OSError"}


def test_a_server_that_dies_at_once_is_said_not_to_start_and_leaves_no_process(tmp_path):
    sleeper = (sys.executable, "-c", "import time; time.sleep(600)", str(tmp_path))
    dead = (sys.executable, "-c", "raise SystemExit(1)")
    server = Server("x", "", (sleeper, dead), free_port(), lambda _payload: gets("/"))
    attempts = Attempts()

    def start() -> None:
        with running(server, film(), tmp_path):
            pytest.fail("it cannot have started")

    attempts.get("x", start)

    assert attempts.failed == {"x": "did not start"}
    commands = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
    assert [command for command in commands if str(tmp_path) in command] == []


def test_packages_that_cannot_be_installed_are_one_sentence(tmp_path):
    attempts = Attempts()

    attempts.get("other", lambda: make(tmp_path / "peers", ("./no-such-package",)))

    assert attempts.failed == {"other": "could not be installed"}


def test_a_part_without_data_or_figures_is_named_and_its_old_figures_are_dropped(tmp_path):
    old = tmp_path / "one.part.json"
    old.write_text("{}")
    attempts = Attempts()

    attempts.get("no data", lambda: run_part("one", (), tmp_path))
    attempts.get("no figures", lambda: run_part("two", ("this",), tmp_path))

    assert attempts.failed == {
        "no data": "its data are not here",
        "no figures": "ended with 0 and no figures",
    }
    assert not old.exists()


def test_a_shorter_plan_shortens_every_phase():
    short = FULL.lasting(2)

    assert (short.seconds, short.warm_up_seconds, short.requests) == (2, 0.5, 1250)
    assert (short.images, short.inputs, short.films) == (128, 150, 50)
    assert short.clients == FULL.clients
