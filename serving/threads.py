"""What native libraries read about threads. Two libraries that both want all cores are slow."""

from __future__ import annotations

import os

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def pin_environment(compute: int | str) -> None:
    """Set what the native libraries read when they are loaded; call before importing them.

    A text that is no number counts as 1: the settings check it later and refuse it in words.
    """
    count = str(compute) if str(compute).isdecimal() else "1"
    for name in _VARIABLES:
        os.environ[name] = count
