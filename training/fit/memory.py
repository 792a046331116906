"""Keep freed memory in the process while training on a CPU.

glibc returns every large block to the kernel and faults it in again at the next step; keeping
the pages made training at 192 pixels 1.7 times faster (docs/decisions). Linux with glibc only;
elsewhere nothing happens.
"""

from __future__ import annotations

import ctypes
import ctypes.util

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_pages() -> bool:
    """Tell malloc to reuse large blocks; True when the C library took the setting."""
    try:
        mallopt = ctypes.CDLL(ctypes.util.find_library("c")).mallopt
    except (OSError, AttributeError, TypeError):
        return False
    return bool(
        mallopt(_M_MMAP_MAX, 0)
        and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
        and mallopt(_M_TOP_PAD, 256 * 1024 * 1024)
    )
