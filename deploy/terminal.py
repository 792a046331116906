"""Show the output of all processes on one terminal, each line with the name of its process.

Runs as an event listener of supervisord: events come on standard input, replies go to standard
output, and what people read goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TextIO

WIDTH = 17  # The longest modality id.

_STATES = {
    "PROCESS_STATE_EXITED": "stopped; it is started again",
    "PROCESS_STATE_BACKOFF": "stopped while starting; it is started again after a pause",
    "PROCESS_STATE_FATAL": "stays stopped",
}


class Terminal:
    """Keeps the unfinished last line of each process until its end arrives."""

    def __init__(self) -> None:
        """Start with nothing held back."""
        self._rest: dict[str, str] = {}

    def lines(self, event: str, payload: str) -> Iterator[str]:
        """Yield the lines to show for one event; `payload` is supervisord's, head and data."""
        head, _, data = payload.partition("\n")
        name = _tokens(head)["processname"]
        if event.startswith("PROCESS_LOG"):
            *whole, self._rest[name] = (self._rest.get(name, "") + data).split("\n")
            yield from (_line(name, text) for text in whole)
        elif event in _STATES:
            yield _line(name, _STATES[event])


def listen(events: TextIO, replies: TextIO, screen: TextIO) -> None:
    """Answer supervisord's events until it closes the pipe.

    `events` must be text: the length that supervisord states counts characters, not bytes.
    """
    terminal = Terminal()
    while True:
        replies.write("READY\n")
        replies.flush()
        header = _tokens(events.readline())
        if not header:
            return
        screen.writelines(terminal.lines(header["eventname"], events.read(int(header["len"]))))
        screen.flush()
        replies.write("RESULT 2\nOK")
        replies.flush()


def _tokens(text: str) -> dict[str, str]:
    """Read supervisord's `key:value key:value`."""
    return dict(token.split(":", 1) for token in text.split())


def _line(name: str, text: str) -> str:
    return f"{name:<{WIDTH}} | {text.rstrip()}\n"


if __name__ == "__main__":
    with open(0, encoding="utf-8", newline="\n") as standard_input:
        listen(standard_input, sys.stdout, sys.stderr)
