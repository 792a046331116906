import faulthandler

from serving.watchdog import Watchdog


class Interpreter:
    """What stands in for the interpreter's watchdog."""

    def __init__(self, monkeypatch, error=None):
        self.armed, self.error = [], error
        monkeypatch.setattr(faulthandler, "dump_traceback_later", self.arm)

    def arm(self, seconds, **options):
        self.armed.append((seconds, options["exit"]))
        if self.error:
            raise self.error


def test_F15_it_is_armed_anew_long_before_it_would_bite(monkeypatch):
    interpreter = Interpreter(monkeypatch)
    watchdog = Watchdog(60)
    for now in (100.0, 100.1, 105.9, 106.1, 112.2):
        watchdog.feed(now)

    assert interpreter.armed == [(60, True)] * 3


def test_F15_without_memory_for_it_the_process_goes_on(monkeypatch):
    interpreter = Interpreter(monkeypatch, RuntimeError("no thread"))
    Watchdog(60).feed(100.0)

    assert interpreter.armed == [(60, True)]


def test_it_may_be_kept_asleep(monkeypatch):
    interpreter = Interpreter(monkeypatch)
    Watchdog(0).feed(100.0)

    assert interpreter.armed == []
