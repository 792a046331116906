"""What native libraries read about threads. Two libraries that both want all cores are slow."""

from __future__ import annotations

import contextlib
import os
import threading

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")

#: What computing threads are set to, so that event loops come first (`nice`, Linux).
_NICENESS = 10


def give_way() -> None:
    """Let this thread compute only when no event loop wants the core, where the system can.

    For the initializer of a pool: probes and refusals then wait for nobody's inference.
    """
    with contextlib.suppress(AttributeError, OSError):  # no such call, or no such right
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def pin_environment(compute: int | str) -> None:
    """Set what the native libraries read when they are loaded; call before importing them.

    A text that is no number counts as 1: the settings check it later and refuse it in words.
    """
    count = str(compute) if str(compute).isdecimal() else "1"
    for name in _VARIABLES:
        os.environ[name] = count
