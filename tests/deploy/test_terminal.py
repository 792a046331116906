import io

from deploy.terminal import Terminal, listen

HEAD = "processname:ecg groupname:ecg pid:1 channel:stdout\n"


def test_each_line_carries_the_name_of_its_process():
    shown = list(Terminal().lines("PROCESS_LOG_STDOUT", HEAD + "one\ntwo\n"))

    assert shown == ["ecg               | one\n", "ecg               | two\n"]


def test_half_a_line_waits_for_its_other_half():
    terminal = Terminal()

    assert list(terminal.lines("PROCESS_LOG_STDOUT", HEAD + "ha")) == []
    assert list(terminal.lines("PROCESS_LOG_STDOUT", HEAD + "lf\n")) == [
        "ecg               | half\n"
    ]


def test_a_process_that_died_is_announced():
    head = "processname:ecg groupname:ecg from_state:RUNNING expected:0 pid:1"

    assert list(Terminal().lines("PROCESS_STATE_EXITED", head)) == [
        "ecg               | stopped; it is started again\n"
    ]


def test_an_ordinary_start_is_not_worth_a_line():
    head = "processname:ecg groupname:ecg from_state:STOPPED tries:0"

    assert list(Terminal().lines("PROCESS_STATE_STARTING", head)) == []


def test_every_event_is_acknowledged_and_lengths_count_characters():
    payload = HEAD + "häß\n"
    event = f"ver:3.0 eventname:PROCESS_LOG_STDOUT len:{len(payload)}\n{payload}"
    replies, screen = io.StringIO(), io.StringIO()

    listen(io.StringIO(event * 2), replies, screen)

    assert screen.getvalue() == "ecg               | häß\n" * 2
    assert replies.getvalue() == "READY\nRESULT 2\nOK" * 2 + "READY\n"
