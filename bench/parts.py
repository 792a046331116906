"""Parts of the page that other commands measure, each kept in a file of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from bench.attempts import Attempts, NotMeasured
from bench.plan import Plan
from bench.server import ROOT, stop

#: Where figures of all parts wait until the page is written from them.
KEPT = ROOT / ".local" / "bench"
_SUFFIX = ".part.json"
_SECONDS = 400.0


class Part(BaseModel):
    """One section: a sentence or two, one table, and the command that made it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    text: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    command: str
    date: str


def keep_part(part: Part, folder: Path, name: str) -> None:
    """Keep a part under a name; the page shows parts in the order of their names."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}{_SUFFIX}").write_text(part.model_dump_json(indent=1))


def read_parts(folder: Path) -> tuple[Part, ...]:
    """Return the parts that were kept."""
    files = sorted(folder.glob(f"*{_SUFFIX}"))
    return tuple(Part.model_validate_json(file.read_text()) for file in files)


def measure_parts(plan: Plan, cores: int, data: Path | None, attempts: Attempts) -> None:
    """Run the other commands whose figures the page shows, each in a process of its own."""
    for title, (name, command) in _commands(plan, cores, data).items():
        attempts.get(title, partial(run_part, name, command, KEPT))


def _commands(plan: Plan, cores: int, data: Path | None) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Return title, name of the part and arguments of each command; no data, no arguments."""
    manifests = sorted((ROOT / "runs" / "manifests").glob("*.csv"))
    released = [str(one) for one in manifests if any((ROOT / "models" / one.stem).glob("*.pth"))]
    backends = ("bench.backends", *released, "--inputs", str(plan.inputs))
    decodes = ("bench.decodes", str(data), "--films", str(plan.films))
    training = ("bench.training_speed", "--cores", str(cores), "--images", str(plan.images))
    return {
        "Compiled form against torch": ("1-backends", backends if released else ()),
        "Reduced decode": ("2-decodes", decodes if data is not None else ()),
        "Training speed": ("3-training", training),
    }


def run_part(name: str, command: tuple[str, ...], kept: Path) -> None:
    """Run one command until it has kept its part; older figures must not pass for new ones."""
    part = kept / f"{name}{_SUFFIX}"
    part.unlink(missing_ok=True)
    if not command:
        raise NotMeasured("its data are not here")
    process = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ, start_new_session=True
    )
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotMeasured("took too long") from error
    finally:
        stop(process)
    if not part.exists():
        raise NotMeasured(f"ended with {process.returncode} and no figures")
