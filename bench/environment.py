"""A throw-away environment for the servers of others, on top of our own torch."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from bench.attempts import NotMeasured

_SECONDS = 120


def make(folder: Path, packages: tuple[str, ...]) -> Path:
    """Install the packages into a new environment and return its interpreter.

    Torch, torchvision, Pillow and NumPy are found in the environment that runs this; whatever
    the packages need besides is their own. Raises NotMeasured, offline for one.
    """
    uv = [sys.executable, "-m", "uv"]
    python = folder / "bin" / "python"
    try:
        _run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)])
        _run([*uv, "pip", "install", "--quiet", "--python", str(python), *packages])
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise NotMeasured("could not be installed") from error
    (target,) = folder.glob("lib/python*/site-packages")
    (target / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def version_in(python: Path, package: str) -> str:
    """Return the version of a package as that environment sees it."""
    program = f"import importlib.metadata as m; print(m.version({package!r}))"
    result = subprocess.run(
        [str(python), "-c", program], check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, timeout=_SECONDS, env=os.environ)
