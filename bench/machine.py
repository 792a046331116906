"""What the machine is, without its name."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

from bench.results import Machine

_PACKAGES = ("torch", "torchvision", "onnxruntime", "pillow", "numpy", "fastapi", "uvicorn")


def facts() -> Machine:
    """Return processor, cores in use, system and versions."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        system=f"{platform.system()} {platform.release().split('-')[0]}, "
        f"Python {platform.python_version()}",
        versions={name: version(name) for name in _PACKAGES},
    )


def pin(cores: int) -> None:
    """Keep this process, and all that it starts, on so many cores."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
