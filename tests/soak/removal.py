"""Take one guard out of a copy of the tree, and see whether the tests of that guard turn red."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("guards")
#: Read by tests and changed by none, so that a copy may share them.
SHARED = ("models", "examples")
#: A selection takes seconds; one that hangs shows nothing.
MOST_SECONDS = 90
Verdict = Literal["green", "red", "broken", "hung"]
_FAILED = re.compile(r"^FAILED (\S+)", re.MULTILINE)
_VERDICTS: dict[int, Verdict] = {0: "green", 1: "red"}


@dataclass(frozen=True, slots=True)
class Guard:
    """One guard: where it stands, what stands there without it, and the tests that miss it.

    `text` stands in `file` exactly once. `tests` are test files or single tests, as pytest takes
    them; `rows` are those of `docs/fault-table.md`, none for a guard that no row is about.
    """

    name: str
    file: str
    text: str
    without: str
    tests: tuple[str, ...]
    rows: tuple[str, ...] = ()

    @property
    def removed(self) -> str:
        """The file without the guard; ValueError unless its text is found exactly once."""
        source = (ROOT / self.file).read_text()
        if source.count(self.text) != 1:
            raise ValueError(f"{self.name}: found {source.count(self.text)} times in {self.file}")
        return source.replace(self.text, self.without)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run of tests ended, the first test that failed, and the end of what was printed."""

    verdict: Verdict
    failed: str | None
    printed: str


def guards(folder: Path = TABLE) -> tuple[Guard, ...]:
    """Return the whole table, in the order of the files."""
    return tuple(
        Guard(**{key: tuple(value) if isinstance(value, list) else value for key, value in entry})
        for path in sorted(folder.glob("*.toml"))
        for entry in (table.items() for table in tomllib.loads(path.read_text())["guard"])
    )


def copy_tree(target: Path) -> Path:
    """Copy what belongs to the project, without what runs leave behind; return the copy."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in found.stdout.split("\0"):
        if not name or name.partition("/")[0] in SHARED or not (ROOT / name).is_file():
            continue
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy)
    for name in SHARED:
        (target / name).symlink_to(ROOT / name, target_is_directory=True)
    return target


def run_tests(tree: Path, tests: Iterable[str]) -> Outcome:
    """Run these tests in a copy, up to the first that fails.

    Red is a failed test alone: an error of a fixture, of the collection or of pytest itself, and
    an empty selection, are `broken`.
    """
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    with subprocess.Popen(
        command,
        cwd=tree,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            printed, _ = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            return Outcome("hung", None, _stopped(process)[-2000:])
    failed = _FAILED.search(printed)
    verdict = _VERDICTS.get(process.returncode, "broken")
    if (verdict == "red") != (failed is not None):
        verdict = "broken"
    return Outcome(verdict, failed[1] if failed else None, printed[-2000:])


def without(guard: Guard, tree: Path) -> Outcome:
    """Run a guard's tests in a fresh copy from which the guard is missing."""
    changed = copy_tree(tree) / guard.file
    changed.write_text(guard.removed)
    return run_tests(tree, guard.tests)


def _stopped(process: subprocess.Popen[str]) -> str:
    """End the run with all that it started, and return what it has printed."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]
