"""Give memory back that only start-up needed: freed blocks, and code that was read once."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAPS = Path("/proc/self/smaps")
_HEAD = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ +(\S.*)")
_READ_ONLY = ("r-xp", "r--p")
_DONT_NEED = 4


@dataclass(frozen=True, slots=True)
class _Mapping:
    """One mapped part of a library that this process has not changed."""

    start: int
    length: int


def give_back() -> None:
    """Return what nothing holds any more to the system; does nothing where that cannot be asked.

    The allocator keeps what loading a model freed. And of the libraries of CUDA, a CPU only ever
    runs what registers them at start: unchanged pages are let go, and come back from the file
    when they are touched, as they would after a shortage.
    """
    try:
        library = ctypes.CDLL(None)
        trim, advise = library.malloc_trim, library.madvise
        parts = list(_unchanged_parts())
    except (OSError, AttributeError, TypeError):
        return
    trim(0)
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for part in parts:
        advise(part.start, part.length, _DONT_NEED)


def _unchanged_parts() -> Iterator[_Mapping]:
    """Yield the read-only parts of libraries that hold no private page: their files have it all."""
    mapping: _Mapping | None = None
    for line in _MAPS.read_text().splitlines():
        if head := _HEAD.fullmatch(line):
            start, end = int(head[1], 16), int(head[2], 16)
            library = ".so" in head[4].rpartition("/")[2] and head[3] in _READ_ONLY
            mapping = _Mapping(start, end - start) if library else None
        elif line.startswith("Anonymous:") and mapping is not None:
            if line.split()[1] == "0":
                yield mapping
            mapping = None
