"""Who may import whom: our code by import-linter, third parties by what a process has loaded."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = {
    "contracts",
    "serving",
    "gateway",
    "vision_service",
    "tabular_service",
    "training",
    "client",
    "deploy",
}
#: Process → (package or modules to load whole, packages of ours it may load, what never).
PROCESSES = {
    "gateway": (
        "gateway",
        {"contracts", "serving", "gateway"},
        {"torch", "torchvision", "PIL", "numpy", "sklearn", "skops", "wfdb", "reportlab", "fpdf"},
    ),
    "vision_service": (
        "vision_service",
        {"contracts", "serving", "vision_service"},
        {"captum", "matplotlib", "wfdb", "pandas", "sklearn", "skops", "httpx2", "sqlalchemy"},
    ),
    "tabular_service": (
        "tabular_service",
        {"contracts", "serving", "tabular_service"},
        {"torch", "torchvision", "PIL", "httpx2", "sqlalchemy"},
    ),
    "training": (
        "training",
        {"contracts", "training"},
        {"fastapi", "starlette", "uvicorn", "httpx2"},
    ),
    "client": (
        "client",
        {"contracts", "client"},
        {"fastapi", "starlette", "uvicorn", "sqlalchemy", "torch", "numpy", "PIL"},
    ),
    "the training core": (
        "training.loop training.dataset training.augment",
        {"contracts", "training"},
        {"sklearn", "skops", "matplotlib", "tensorboard", "yaml", "wfdb", "pandas", "pydantic"},
    ),
}


PROGRAM = """
import importlib, json, pkgutil, sys

if "tabular_service" in sys.argv:  # As its __main__ does before anything else.
    importlib.import_module("tabular_service.no_torch").keep_torch_out()
for name in sys.argv[1:]:
    module = importlib.import_module(name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), f"{name}."):
        if "migrations" not in found.name:  # Run by Alembic alone, which sets its context first.
            importlib.import_module(found.name)
print(json.dumps(list(sys.modules)))
"""


def loaded_by(modules: str) -> set[str]:
    """The top-level names in `sys.modules` after importing these whole in a fresh interpreter."""
    command = [sys.executable, "-c", PROGRAM, *modules.split()]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return {name.split(".")[0] for name in json.loads(result.stdout.splitlines()[-1])}


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_loads_only_what_is_its_own(process):
    entry, allowed, never = PROCESSES[process]

    loaded = loaded_by(entry)

    assert loaded & OURS <= allowed
    assert not loaded & never


def test_the_contracts_between_our_packages_are_kept():
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]

    result = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stdout
    assert re.search(r"Contracts: \d+ kept, 0 broken", result.stdout)
