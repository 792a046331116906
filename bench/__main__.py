"""`python -m bench`: measure and write docs/benchmarks.md; `--short`: are the ratios about right.

Needs a quiet machine. Other servers are installed into a throw-away environment; where that is
not possible they are left out, and the page says so.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench import contestants, environment, floor, machine, measure
from bench.parts import KEPT
from bench.plan import FULL, SHORT, Plan
from bench.results import FILE, Contestant, Serving, Size, keep
from bench.server import ROOT, DidNotStart


def main() -> int:
    """Measure on a fixed number of cores and write what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--cores", type=int, default=2, help="cores for everything together")
    parser.add_argument("--data", type=Path, help="folder for `python -m bench.decodes`")
    parser.add_argument("--results", type=Path, default=KEPT / FILE, help="where figures go")
    arguments = parser.parse_args()
    machine.pin(arguments.cores)
    # What a shell happens to say about threads must not decide for anybody.
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.pop(name, None)
    os.environ.setdefault("GATEWAY_INTERNAL_TOKEN", secrets.token_urlsafe(32))
    with tempfile.TemporaryDirectory(prefix="mediflow-bench-") as folder:
        figures = serving(SHORT if arguments.short else FULL, Path(folder))
    keep(figures, arguments.results)
    if not arguments.short:
        from bench.page import write_page

        measure_parts(arguments.cores, arguments.data)
        write_page(KEPT)
    return 0


def measure_parts(cores: int, data: Path | None) -> None:
    """Run the other commands whose figures the page shows, as far as their data are there.

    Each is a process of its own: what fails there is said, and its old figures stay.
    """
    commands = [["bench.training_speed", "--cores", str(cores)]]
    if manifests := sorted((ROOT / "runs" / "manifests").glob("*.csv")):
        released = [path for path in manifests if any((ROOT / "models" / path.stem).glob("*.pth"))]
        commands.append(["bench.backends", *map(str, released)])
    if data is not None:
        commands.append(["bench.decodes", str(data)])
    for command in commands:
        print(command[0], flush=True)
        code = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode
        if code:
            print(f"{command[0]} ended with {code}", file=sys.stderr)


def serving(plan: Plan, folder: Path) -> Serving:
    """Measure all servers one after the other; state and logs go to `folder`."""
    system = contestants.system(folder)
    alone = system.service_alone()
    print("Start", flush=True)
    cold, warm = (measure.start_seconds(alone, folder) for _ in range(2))
    print("Floor", flush=True)
    rate = floor.measure(contestants.model_file(), plan.seconds)
    print("Servers", flush=True)
    ours = measure.contestant(system.both(), plan, folder)
    plain = measure.contestant(contestants.plain_fastapi(), plan, folder)
    others, absent = _others(plan, folder)
    print("MediFlow from inside", flush=True)
    inside = measure.inside(system, plan, folder)
    sizes: tuple[Size, ...] = ()
    if plan.sides:
        sizes = measure.sizes(system.both(), contestants.plain_fastapi(), plan, folder)
    return Serving(
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        commit=_commit(),
        machine=machine.facts(),
        contestants=(ours, plain, *others),
        absent=absent,
        floor_rate=rate,
        stages_ms=inside.stages_ms,
        added=inside.added,
        livez_gateway_p99_ms=inside.livez_gateway_p99_ms,
        livez_service_p99_ms=inside.livez_service_p99_ms,
        sizes=sizes,
        memory=inside.memory,
        cold_start_seconds=cold,
        warm_start_seconds=warm,
    )


def _others(plan: Plan, folder: Path) -> tuple[tuple[Contestant, ...], tuple[str, ...]]:
    """Measure the servers of others; return them and the names of those that could not run."""
    if plan is SHORT:
        return (), environment.PEERS
    python = environment.make(folder / "peers")
    if python is None:
        return (), environment.PEERS
    measured, absent = [], []
    for make in (contestants.litserve, contestants.bentoml):
        server = make(python)
        try:
            measured.append(measure.contestant(server, plan, folder))
        except DidNotStart as error:
            print(error, file=sys.stderr)
            absent.append(server.name)
    return tuple(measured), tuple(absent)


def _commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    result = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    return result.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
