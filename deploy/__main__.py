"""`python -m deploy up | demo | doctor`: run the local system, show the examples, find faults."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NoReturn

from deploy.doctor import doctor
from deploy.procfile import DEFAULT_PORT, BadProcfile, Process
from deploy.system import CannotStart, command, environment_for, gateway_url, load, running

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run the sub-command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m deploy", description=__doc__)
    parser.add_argument("what", choices=("up", "demo", "doctor"))
    parser.add_argument("--directory", type=Path, default=ROOT, help="where the Procfile lies")
    parser.add_argument("--json", action="store_true", help="what the doctor found, for programs")
    arguments = parser.parse_args()
    root = arguments.directory.resolve()
    if arguments.what == "doctor":
        return doctor(root, os.environ, as_json=arguments.json)
    try:
        return up(root) if arguments.what == "up" else demo(root, stay=_stays(os.environ))
    except (BadProcfile, CannotStart) as error:
        print(error, file=sys.stderr)
        return 1


def up(root: Path) -> NoReturn:
    """Become supervisord: Ctrl-C and SIGTERM stop every process."""
    processes = load(root, os.environ)
    arguments = command(processes, root, quiet=False)
    print(f"MediFlow starts at {gateway_url(processes)} (Ctrl-C stops it).", flush=True)
    os.chdir(root)
    os.execve(arguments[0], arguments, environment_for(processes, os.environ))


def demo(root: Path, *, stay: bool) -> int:
    """Start the system, show the examples, stay until Ctrl-C; return the examples' exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    processes = load(root, os.environ)
    code = 0
    try:
        with running(processes, root) as supervisor:
            code = _show_examples(processes, root)
            if stay and code == 0:
                print(f"Your own file, from another terminal: {_ask(gateway_url(processes))}")
                print("The system stays up. Ctrl-C stops it.", flush=True)
                supervisor.wait()
    except KeyboardInterrupt:
        print("Stopped.")
    return code


def _ask(url: str) -> str:
    """What to type for a file of one's own, from the folder of this checkout."""
    program = Path(sys.executable).with_name("mediflow")
    short = program.relative_to(ROOT) if program.is_relative_to(ROOT) else program
    where = "" if url.endswith(f":{DEFAULT_PORT}") else f" --url {url}"
    return f"{short} analyze FILE{where}"


def _stays(environment: Mapping[str, str]) -> bool:
    return not environment.get("DEMO_EXIT")


def _show_examples(processes: tuple[Process, ...], root: Path) -> int:
    """Run the example program on the modalities that have a model file; name the others."""
    with_model = [one.name for one in processes if one.modality and _model(one, root).exists()]
    for process in processes:
        if process.modality and process.name not in with_model:
            print(f"{process.name}: no model file {process.environment['SERVICE_CHECKPOINT']}")
    if not with_model:
        print("There is no model file at all; see the README, section Train.", file=sys.stderr)
        return 1
    print(f"Waiting for: {', '.join(with_model)}", flush=True)
    program = [sys.executable, str(ROOT / "examples" / "demo.py")]
    program += ["--url", gateway_url(processes), "--expect", *with_model]
    return subprocess.run(program, check=False, cwd=root).returncode


def _model(process: Process, root: Path) -> Path:
    return root / process.environment["SERVICE_CHECKPOINT"]


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
