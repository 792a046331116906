"""Tell a shortage of memory from every other failure, in whose words it ever comes.

Python says MemoryError; torch, ONNX Runtime and Pillow have errors of their own for it, and an
operating system without room for one more thread has another. All of them are the same answer: the
input is refused for now and may come again. Knows no library but by the names in its errors.
"""

from __future__ import annotations

import errno
import re

from contracts.errors import Overloaded

RETRY_AFTER_SECONDS = 5
_WORDS = re.compile(
    r"out of memory|not enough memory|can(?:'|no)t allocate|bad[_ ]alloc|failed to allocate"
    r"|alloc_failed|start new thread"
    # oneDNN of torch, of networks that ran before; it names no other reason then.
    r"|could not (?:create|execute) a (?:primitive|memory)",
    re.IGNORECASE,
)
_TELLING = (RuntimeError, OSError)
_MOST_CAUSES = 8


def is_shortage(error: BaseException) -> bool:
    """True when this error, or one that it came from, says that memory ran out."""
    link: BaseException | None = error
    for _ in range(_MOST_CAUSES):
        if link is None:
            return False
        if _says_so(link):
            return True
        link = link.__cause__ or link.__context__
    return False


def out_of_memory() -> Overloaded:
    """The one refusal for it: 503 `overloaded`, to be tried again."""
    return Overloaded(
        "There is not enough memory for this input now.", retry_after_seconds=RETRY_AFTER_SECONDS
    )


def _says_so(error: BaseException) -> bool:
    """Judge one error alone."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    foreign = type(error).__module__.startswith("onnxruntime")
    return (foreign or isinstance(error, _TELLING)) and bool(_WORDS.search(str(error)))
