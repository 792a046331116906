"""Give freed memory back to the system."""

from __future__ import annotations

import ctypes
import ctypes.util


def give_back() -> bool:
    """Return what was freed and is still held; True when the C library could.

    Loading a model leaves hundreds of megabytes in the allocator that nothing will need again.
    """
    try:
        trim = ctypes.CDLL(ctypes.util.find_library("c")).malloc_trim
    except (OSError, AttributeError, TypeError):
        return False
    return bool(trim(0))
