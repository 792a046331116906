"""CPU times to be compared with each other: taken in turns, the least of a few rounds."""

import time
from collections.abc import Callable


def least_cpu_seconds(*works: Callable[[], object], rounds: int) -> list[float]:
    """The least CPU time of each in a few rounds, in turns; the first round only warms up.

    That of the calling thread, which does all the work here: what earlier tests left running in
    others does not count.
    """
    taken = [[cpu_seconds(work) for work in works] for _ in range(1 + rounds)]
    return [min(spent) for spent in zip(*taken[1:], strict=True)]


def cpu_seconds(work: Callable[[], object]) -> float:
    """The CPU time of one call."""
    started = time.thread_time()
    work()
    return time.thread_time() - started
