"""Many files: bounded, one failure leaves the others alone, a failure of all ends the run."""

import threading
from pathlib import Path

from client.batch import MOST_KEPT, Tally, run
from client.errors import Unreachable, UnusableInput
from client.exits import Exit
from tests.client.answers import prediction, result

FILES = [Path(f"{number}.png") for number in range(20)]


def test_no_more_files_are_under_way_than_allowed():
    under_way, most, lock = 0, 0, threading.Lock()
    full = threading.Barrier(3, timeout=30)

    def ask(file):
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        if file in FILES[:3]:
            full.wait()
        with lock:
            under_way -= 1
        return result(prediction(), file)

    assert len(list(run(FILES, ask, jobs=3))) == len(FILES)
    assert most == 3


def test_a_file_that_fails_leaves_the_others_alone():
    def ask(file):
        return result(UnusableInput("bad") if file.stem == "3" else prediction(), file)

    tally = Tally()
    for one in run(FILES, ask, jobs=2):
        tally.add(one)

    assert tally.counts == {"accepted": 19, "failed": 1}
    assert tally.exit is Exit.REFUSED


def test_where_nobody_answers_the_run_ends_early():
    asked = []

    def ask(file):
        asked.append(file)
        return result(Unreachable("nobody", sent=False), file)

    assert [one.exit for one in run(FILES, ask, jobs=1)] == [Exit.UNREACHABLE]
    assert len(asked) < len(FILES)


def test_of_a_large_folder_the_first_results_are_kept_and_all_are_counted():
    tally = Tally()
    for _ in range(MOST_KEPT + 5):
        tally.add(result(prediction("rejected", label=None)))

    assert (len(tally.first), tally.total) == (MOST_KEPT, MOST_KEPT + 5)
    assert tally.exit is Exit.REJECTED
