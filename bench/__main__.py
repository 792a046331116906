"""`python -m bench`: measure and write docs/benchmarks.md; `--short`: are the ratios about right.

Needs a quiet machine. Other servers are installed into a throw-away environment. What cannot be
measured is named on the page with its reason, and everything else is measured all the same.
"""

from __future__ import annotations

import argparse
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import fmean

from bench import contestants, environment, floor, machine, measure
from bench.attempts import Attempts
from bench.parts import KEPT, measure_parts
from bench.plan import FULL, SHORT, Plan
from bench.results import FILE, Contestant, Serving, keep
from bench.server import ROOT
from deploy.procfile import model_file


def main() -> int:
    """Measure on a fixed number of cores, write what was found; 1 when a part failed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="ours and the plain design, no page")
    parser.add_argument("--seconds", type=float, help="of each load; everything in proportion")
    parser.add_argument("--cores", type=int, default=2, help="cores for everything together")
    parser.add_argument("--data", type=Path, help="folder for `python -m bench.decodes`")
    parser.add_argument("--results", type=Path, default=KEPT / FILE, help="where figures go")
    parser.add_argument("--page", type=Path, default=ROOT / "docs", help="folder of the page")
    arguments = parser.parse_args()
    plan = SHORT if arguments.short else FULL
    if arguments.seconds is not None:
        plan = plan.lasting(arguments.seconds)
    _prepare(arguments.cores)
    attempts = Attempts()
    with tempfile.TemporaryDirectory(prefix="mediflow-bench-") as folder:
        figures = serving(plan, Path(folder), attempts)
    keep(figures, arguments.results)
    if not arguments.short:
        from bench.page import write_page

        measure_parts(plan, arguments.cores, arguments.data, attempts)
        keep(figures.model_copy(update={"failed": attempts.failed}), arguments.results)
        write_page(arguments.results, KEPT, arguments.page)
    return 1 if attempts.failed else 0


def _prepare(cores: int) -> None:
    """Take so many cores, and let no variable of a shell decide for anybody."""
    machine.pin(cores)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.pop(name, None)
    os.environ.setdefault("GATEWAY_INTERNAL_TOKEN", secrets.token_urlsafe(32))
    # As an exception, so that whatever runs is stopped on the way out.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))


def serving(plan: Plan, folder: Path, attempts: Attempts) -> Serving:
    """Measure all servers one after the other; state and logs go to `folder`."""
    system = contestants.system(folder)
    starts = attempts.get("Start", lambda: measure.starts(system.service_alone(), folder))
    measured, rate = _servers(system, plan, folder, attempts)
    inside = attempts.get(
        "MediFlow from inside", lambda: measure.inside(system, plan, folder, attempts)
    )
    inside = inside or measure.Inside()
    sizes = None
    if plan.sides:
        plain = contestants.plain_fastapi()
        sizes = attempts.get("Sizes", lambda: measure.sizes(system.both(), plain, plan, folder))
    return Serving(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=_commit(),
        machine=machine.facts(),
        seconds=plan.seconds,
        contestants=measured,
        floor_rate=rate,
        stages_ms=inside.stages_ms or {},
        added=inside.added,
        livez=inside.livez,
        sizes=sizes or (),
        memory=inside.memory,
        starts=starts,
        failed=attempts.failed,
    )


def _servers(
    system: contestants.System, plan: Plan, folder: Path, attempts: Attempts
) -> tuple[tuple[Contestant, ...], float | None]:
    """Measure ours, the plain design and the servers of others, as far as they run.

    Also returns the rate of the floor, of which half is measured before ours and half after: what
    else the machine does changes within minutes.
    """
    servers = [contestants.plain_fastapi()]
    if plan.others:
        for package, make in (
            ("litserve", contestants.litserve),
            ("bentoml", contestants.bentoml),
        ):
            python = attempts.get(
                f"Installing {package}",
                partial(environment.make, folder / package, (package,)),
            )
            if python is not None:
                servers.append(make(python))
    file, half = model_file(contestants.MODALITY, ROOT), plan.seconds / 2
    before = attempts.get("Floor", lambda: floor.measure(file, half))
    ours = system.both()
    found = [attempts.get(ours.name, lambda: measure.contestant(ours, plan, folder))]
    after = attempts.get("Floor again", lambda: floor.measure(file, half))
    found += [
        attempts.get(one.name, partial(measure.contestant, one, plan, folder)) for one in servers
    ]
    rates = [rate for rate in (before, after) if rate is not None]
    return tuple(one for one in found if one is not None), (fmean(rates) if rates else None)


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
