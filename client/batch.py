"""Many files: some at a time, a failure of one leaves the others alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from client.catalogue import ModalityEntry
from client.errors import MediFlowError, Refused, Unreachable
from client.exits import Exit, exit_of
from client.inputs import Input
from client.mediflow import MediFlow
from client.routing import modality_for
from contracts.schemas import Prediction

#: Of a large folder, the first results are listed and the others counted.
MOST_KEPT = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file: an answer, or the error. `sha256` is empty if it was not read."""

    file: Path
    sha256: str
    end: Prediction | MediFlowError

    @property
    def exit(self) -> Exit:
        """Its exit code."""
        return exit_of(self.end.outcome if isinstance(self.end, Prediction) else self.end)

    @property
    def concerns_all(self) -> bool:
        """True when the next file would fare no better."""
        refused = isinstance(self.end, Refused) and self.end.problem.status in (401, 403)
        return refused or isinstance(self.end, Unreachable)


@dataclass(slots=True)
class Tally:
    """What became of all files so far: counts, and the first results for people to look at."""

    first: list[Result] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    exit: Exit = Exit.OK

    def add(self, result: Result) -> None:
        """Count one result."""
        name = result.end.outcome.value if isinstance(result.end, Prediction) else "failed"
        self.counts[name] += 1
        self.exit = max(self.exit, result.exit)
        if len(self.first) < MOST_KEPT:
            self.first.append(result)

    @property
    def total(self) -> int:
        """How many files there were."""
        return self.counts.total()


@dataclass(frozen=True, slots=True)
class Asker:
    """How each file is asked. Without `modality`, `offered` and the file decide."""

    mediflow: MediFlow
    modality: str | None = None
    offered: Sequence[ModalityEntry] = ()
    prevalence: float | None = None
    use_tta: bool = False

    def __call__(self, file: Path) -> Result:
        """Read, send, and wait for the answer; never raises a MediFlowError."""
        sha256 = ""
        try:
            item = Input.of_path(file)
            sha256 = item.sha256
            return Result(file, sha256, self._ask(item))
        except MediFlowError as error:
            return Result(file, sha256, error)

    def _ask(self, item: Input) -> Prediction:
        modality = self.modality or modality_for(item, self.offered)
        if modality is None:
            return self.mediflow.analyze(
                item, prevalence=self.prevalence, use_tta=self.use_tta or None
            )
        return self.mediflow.predict(
            modality, item, prevalence=self.prevalence, use_tta=self.use_tta or None
        )


def run(files: Sequence[Path], ask: Callable[[Path], Result], jobs: int) -> Iterator[Result]:
    """Yield the result of each file as it comes, at most `jobs` files under way.

    Ends early, after the result that says so, when the next file would fare no better.
    """
    pool = ThreadPoolExecutor(jobs)
    try:
        for future in as_completed([pool.submit(ask, file) for file in files]):
            result = future.result()
            yield result
            if result.concerns_all:
                return
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
