"""Exit codes of the commands. For several inputs the highest of theirs counts."""

from __future__ import annotations

from enum import IntEnum

from client.errors import MediFlowError, Refused, Unreachable
from contracts.schemas import Outcome


class Exit(IntEnum):
    """What a script may ask for in `$?`."""

    OK = 0
    """Done; every input was accepted."""
    NO = 1
    """A check said no: a receipt does not hold, not everything is ready, a fault was found."""
    USAGE = 2
    """The command line is wrong."""
    ABSTAINED = 3
    """Readable, but no single answer is sure enough."""
    REJECTED = 4
    """Readable, but not what the model was made for, or too poor."""
    REFUSED = 5
    """The gateway refused the request, or the file cannot be read."""
    UNREACHABLE = 6
    """Nobody answers, or not now: worth another try later."""


_OUTCOMES = {
    Outcome.ACCEPTED: Exit.OK,
    Outcome.ABSTAINED: Exit.ABSTAINED,
    Outcome.REJECTED: Exit.REJECTED,
}


def exit_of(end: Outcome | MediFlowError) -> Exit:
    """Return the code of one answer or failure."""
    if isinstance(end, Outcome):
        return _OUTCOMES[end]
    later = isinstance(end, Unreachable) or (isinstance(end, Refused) and end.is_temporary)
    return Exit.UNREACHABLE if later else Exit.REFUSED
